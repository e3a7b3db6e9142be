'use strict'

var WebSocket = require('websocket-stream')

// dial and listen as in streams.js, with what a page has.
exports.dial = function (args, cb) {
  if (args.transport !== 'websocket') return cb(new Error('a page cannot dial ' + args.transport))
  var stream = WebSocket((args.secure ? 'wss' : 'ws') + '://' + args.host + ':' + args.port +
    (args.token ? '/?token=' + encodeURIComponent(args.token) : ''))
  stream.once('error', cb)
  stream.once('connect', function () {
    stream.removeListener('error', cb)
    cb(null, stream)
  })
}

exports.listen = function (args, onStream, cb) {
  cb(new Error('a page cannot listen'))
}
