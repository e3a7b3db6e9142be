'use strict'

var Talk = require('./talk.js')

// Peers numbers the connections of a node, reports what becomes of them, and
// runs the application of the tests on each.
module.exports = Peers

function Peers (name, report) {
  this.name = name
  this.report = report
  this.entries = [] // in the order of their ids, from 1
}

// add returns the entry of a connection; key is the client's own peer object.
Peers.prototype.add = function (key, stream, incoming, address) {
  var known = this.find(key)
  if (known) return known
  var report = this.report
  var entry = { id: this.entries.length + 1, key: key, connected: true, incoming: incoming, name: '' }
  entry.talk = new Talk(this.name, stream, function (name) {
    entry.name = name
    report({ event: 'name', peer: entry.id, name: name })
  })
  this.entries.push(entry)
  report({ event: 'peer', peer: entry.id, incoming: incoming, address: address || '' })
  return entry
}

Peers.prototype.remove = function (key) {
  var entry = this.find(key)
  if (!entry || !entry.connected) return
  entry.connected = false
  entry.talk.fail(new Error('peer ' + entry.id + ' disconnected'))
  this.report({ event: 'disconnect', peer: entry.id })
}

Peers.prototype.error = function (key, err) {
  var entry = this.find(key)
  this.report({ event: 'peerError', peer: entry ? entry.id : 0, message: text(err) })
}

Peers.prototype.find = function (key) {
  return this.entries.find(function (entry) { return entry.key === key })
}

Peers.prototype.get = function (id) {
  var entry = this.entries[id - 1]
  if (!entry || !entry.connected) throw new Error('no peer ' + id + ' is connected')
  return entry
}

Peers.prototype.list = function () {
  return this.entries.filter(function (entry) { return entry.connected }).map(function (entry) {
    return { id: entry.id, incoming: entry.incoming, name: entry.name }
  })
}

function text (err) {
  return String((err && err.message) || err)
}
