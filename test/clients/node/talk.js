'use strict'

// Talk is the application that every node of these tests runs on every peer: it
// tells its name and echoes bytes. Both sides can ask, one at a time.
//
//   request   {"from":"b","bytes":1048576}\n  and that many bytes
//   response  {"from":"c"}\n                  and the same bytes
//
// The Go nodes speak the same (talk.go).

module.exports = Talk

// Browsers end a data channel when one message is larger than the other side
// announced, and multiplex makes one message of one write.
var CHUNK = 16 * 1024

function Talk (name, stream, onName) {
  this.name = name
  this.stream = stream
  this.onName = onName
  this.line = ''
  this.echoing = 0 // bytes of a request that are still to come
  this.asked = null // our own request
  this.queue = []
  stream.on('data', this.receive.bind(this))
}

// request sends bytes made from seed and calls back with the other side's name
// once all of them came back unchanged.
Talk.prototype.request = function (bytes, seed, cb) {
  this.queue.push({ bytes: bytes, sent: pattern(bytes, seed), got: 0, from: null, cb: cb })
  if (!this.asked) this.next()
}

Talk.prototype.next = function () {
  var asked = this.asked = this.queue.shift() || null
  if (!asked) return
  this.stream.write(JSON.stringify({ from: this.name, bytes: asked.bytes }) + '\n')
  for (var at = 0; at < asked.bytes; at += CHUNK) {
    this.stream.write(asked.sent.slice(at, at + CHUNK))
  }
}

// fail ends the requests that wait for an answer.
Talk.prototype.fail = function (err) {
  var waiting = this.asked ? [this.asked].concat(this.queue) : this.queue
  this.asked = null
  this.queue = []
  waiting.forEach(function (asked) { asked.cb(err) })
}

Talk.prototype.receive = function (data) {
  while (data.length > 0) {
    if (this.echoing > 0) {
      var part = data.slice(0, this.echoing)
      this.echoing -= part.length
      data = data.slice(part.length)
      this.stream.write(part)
      continue
    }
    if (this.asked && this.asked.from !== null) {
      data = this.compare(data)
      continue
    }
    var newline = data.indexOf(10)
    if (newline < 0) {
      this.line += data.toString('utf8')
      return
    }
    this.line += data.toString('utf8', 0, newline)
    data = data.slice(newline + 1)
    var head = JSON.parse(this.line)
    this.line = ''
    this.head(head)
  }
}

Talk.prototype.head = function (head) {
  if (typeof head.bytes === 'number') {
    this.echoing = head.bytes
    this.stream.write(JSON.stringify({ from: this.name }) + '\n')
  } else if (this.asked) {
    this.asked.from = head.from
    if (this.asked.bytes === 0) this.answered()
  } else {
    throw new Error('an answer that nothing asked for: ' + JSON.stringify(head))
  }
  this.onName(head.from)
}

Talk.prototype.compare = function (data) {
  var asked = this.asked
  var part = data.slice(0, asked.bytes - asked.got)
  if (!part.equals(asked.sent.slice(asked.got, asked.got + part.length))) {
    this.fail(new Error('bytes from ' + asked.got + ' came back different'))
    return data.slice(data.length)
  }
  asked.got += part.length
  if (asked.got === asked.bytes) this.answered()
  return data.slice(part.length)
}

Talk.prototype.answered = function () {
  var asked = this.asked
  this.next()
  asked.cb(null, asked.from)
}

// pattern is reproducible noise: xorshift32.
function pattern (bytes, seed) {
  var out = Buffer.alloc(bytes)
  var x = (seed >>> 0) || 1
  for (var i = 0; i < bytes; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    out[i] = x
  }
  return out
}
