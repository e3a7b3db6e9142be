'use strict'

// The published npm seed (peer-exchange 0.4.1), unmodified, for the benchmark.
//
//   node seed.js NETWORK-ID PORT
//
// Prints one line once it accepts websocket peers, and ends when its standard input does, so that it never outlives
// the benchmark.

// The package's dependencies use `new Buffer`; Node's advice about that, and about the listeners that a 0.4.1 seed adds
// for every relay, says nothing about this benchmark.
process.noDeprecation = true
require('events').defaultMaxListeners = 0

const Exchange = require('peer-exchange')

const [networkId, port] = process.argv.slice(2)
if (!networkId || !(Number(port) > 0)) {
  console.error('usage: node seed.js NETWORK-ID PORT')
  process.exit(2)
}

// A seed keeps webrtc candidates, and relays for them, if it knows the transport "webrtc". It never opens a WebRTC
// connection itself, so any object does for the implementation.
const exchange = new Exchange(networkId, { wrtc: {} })

// A peer that breaks the protocol is dropped by the package; nothing else is to be done about it here.
exchange.on('peerError', () => {})

// The package hands `port` to net.Server.listen as it is, which also takes an object: the way to keep the published
// code off every interface but loopback.
exchange.accept('websocket', { port: { host: '127.0.0.1', port: Number(port) } }, (err) => {
  if (err) {
    console.error(err)
    process.exit(1)
  }
  console.log('ready')
})

process.stdin.on('end', () => process.exit(0)).resume()
