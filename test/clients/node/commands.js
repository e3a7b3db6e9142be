'use strict'

// Nothing outside of the machine is asked for a node's address.
require('simple-peer').config = { iceServers: [] }

// commands makes the function that carries out what a test says, one JSON
// object each, and answers with one: {"id":1,"ok":true,…} or {"id":1,"error":"…"}.
// create is the node of a generation (v0.js, v1.js).
module.exports = function commands (create, report) {
  var node = null

  var own = {
    start: function (args, cb) {
      node = create(args, report)
      cb(null)
    },
    request: function (args, cb) {
      node.peers.get(args.peer).talk.request(args.bytes, args.seed, function (err, from) {
        cb(err, { from: from })
      })
    },
    peers: function (args, cb) {
      cb(null, { peers: node.peers.list() })
    }
  }

  return function command (args, answer) {
    function done (err, result) {
      if (err) answer({ id: args.id, error: String(err.message || err) })
      else answer(Object.assign({ id: args.id, ok: true }, result))
    }
    var run = own[args.command] || node[args.command]
    try {
      run(args, done)
    } catch (err) {
      done(err)
    }
  }
}
