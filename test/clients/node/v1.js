'use strict'

// The swarm keeps the Math.random that it finds when it is loaded, and takes
// it to choose whom to ask for a peer. choose makes the next choice for it.
var chosen = null
var random = Math.random
Math.random = function () {
  if (chosen === null) return random()
  var value = chosen
  chosen = null
  return value
}
var Swarm = require('peer-exchange-v1')
Math.random = random

var streams = require('./streams.js')
var Peers = require('./peers.js')

// NOT_PXP is what a client says of a connection that begins with anything but PXP's first bytes.
var NOT_PXP = 'Invalid magic value, peer not using PXP'

// node drives a swarm of npm peer-exchange 2.x, which takes ready-made streams
// where 0.4.x dials and listens itself.
module.exports = function node (opts, report, wrtc) {
  var swarm = new Swarm(opts.network, {
    wrtc: wrtc,
    rtcConfig: { iceServers: [] },
    allowIncoming: opts.allowIncoming
  })
  var peers = new Peers(opts.name, report)
  var closers = {}

  swarm.on('error', function (err) { report({ event: 'error', message: err.message }) })
  swarm.on('connect', function (stream, peer) { peers.add(peer, stream, !!peer.incoming) })
  swarm.on('disconnect', function (peer) { peers.remove(peer) })
  swarm.on('peerError', function (err, peer) { peers.error(peer, err) })

  // A connection whose beginning Node's WebRTC put in the wrong order is nobody's
  // error. It is told apart, so that another node that causes the same one is found.
  var accept = swarm.accept
  if (wrtc) {
    swarm.accept = function (stream, cb) {
      accept.call(swarm, stream, function (err, conn) {
        if (err && err.message === NOT_PXP && wrtc.overtaken(stream.channelName)) return report({ event: 'overtaken' })
        cb(err, conn)
      })
    }
  }

  function found (cb) {
    return function (err, stream) {
      if (err) return cb(err)
      cb(null, { peer: peers.add(stream.pxpPeer, stream, false).id })
    }
  }

  return {
    peers: peers,
    accept: function (args, cb) {
      if (args.transport === 'webrtc') return cb(null)
      streams.listen(args, function (stream) {
        swarm.accept(stream, function (err) {
          if (err) report({ event: 'peerError', peer: 0, message: err.message })
        })
      }, function (err, port, close) {
        closers[args.transport] = close
        cb(err, { port: port })
      })
    },
    unaccept: function (args, cb) {
      closers[args.transport]()
      cb(null)
    },
    connect: function (args, cb) {
      streams.dial(args, function (err, stream) {
        if (err) return cb(err)
        swarm.connect(stream, found(cb))
      })
    },
    getNewPeer: function (args, cb) {
      if (args.via) {
        var all = swarm.peers
        chosen = (all.indexOf(peers.get(args.via).key) + 0.5) / all.length
      }
      swarm.getNewPeer(found(cb))
      chosen = null
    },
    disconnect: function (args, cb) {
      peers.get(args.peer).key.close()
      cb(null)
    },
    close: function (args, cb) {
      swarm.close()
      cb(null)
    }
  }
}
