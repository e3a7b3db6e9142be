'use strict'

var Exchange = require('peer-exchange-v0')
var Peers = require('./peers.js')

// node drives an exchange of npm peer-exchange 0.4.x.
module.exports = function node (opts, report, wrtc) {
  var ex = new Exchange(opts.network, { wrtc: wrtc })
  var peers = new Peers(opts.name, report)

  ex.on('error', function (err) { report({ event: 'error', message: err.message }) })
  ex.on('peer', function (peer) { peers.add(peer, peer, peer.incoming, peer.remoteAddress) })
  ex.on('disconnect', function (peer) { peers.remove(peer) })
  ex.on('peerError', function (err, peer) {
    peers.error(peer, err)
    peers.remove(peer)
  })

  function found (cb) {
    return function (err, peer) {
      if (err) return cb(err)
      cb(null, { peer: peers.find(peer).id })
    }
  }

  return {
    peers: peers,
    accept: function (args, cb) {
      if (args.transport === 'webrtc') return ex.accept('webrtc', cb)
      ex.accept(args.transport, { port: args.port }, function (err) {
        cb(err, { port: args.port })
      })
    },
    unaccept: function (args, cb) {
      ex.unaccept(args.transport, cb)
    },
    connect: function (args, cb) {
      // Whatever is given for a port comes to stand at the end of the URL.
      var port = args.token ? args.port + '/?token=' + encodeURIComponent(args.token) : args.port
      ex.connect(args.transport, args.host, { port: port, secure: args.secure }, found(cb))
    },
    getNewPeer: function (args, cb) {
      if (args.via) peers.get(args.via).key.getNewPeer(found(cb))
      else ex.getNewPeer(found(cb))
    },
    disconnect: function (args, cb) {
      peers.get(args.peer).key.destroy()
      cb(null)
    },
    close: function (args, cb) {
      ex.close(cb)
    }
  }
}
