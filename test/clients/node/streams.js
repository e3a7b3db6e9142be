'use strict'

var fs = require('fs')
var http = require('http')
var https = require('https')
var net = require('net')
var tls = require('tls')
var WebSocket = require('websocket-stream')

// dial makes the stream that a 2.x application would hand to swarm.connect.
exports.dial = function (args, cb) {
  var stream, event
  if (args.transport === 'websocket') {
    stream = WebSocket((args.secure ? 'wss' : 'ws') + '://' + args.host + ':' + args.port +
    (args.token ? '/?token=' + encodeURIComponent(args.token) : ''))
    event = 'connect'
  } else if (args.secure) {
    stream = tls.connect({ host: args.host, port: args.port })
    event = 'secureConnect'
  } else {
    stream = net.connect(args.port, args.host)
    event = 'connect'
  }
  stream.once('error', cb)
  stream.once(event, function () {
    stream.removeListener('error', cb)
    cb(null, stream)
  })
}

// listen hands accepted streams to onStream and calls back with the port and a
// function that stops listening.
exports.listen = function (args, onStream, cb) {
  var keys = args.secure ? { cert: fs.readFileSync(args.cert), key: fs.readFileSync(args.key) } : null
  var server
  if (args.transport === 'websocket') {
    server = keys ? https.createServer(keys) : http.createServer()
    WebSocket.createServer({ server: server }, onStream)
  } else {
    server = keys ? tls.createServer(keys, onStream) : net.createServer(onStream)
  }
  server.once('error', cb)
  server.listen(args.port || 0, '127.0.0.1', function () {
    cb(null, server.address().port, server.close.bind(server))
  })
}
