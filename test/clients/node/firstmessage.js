'use strict'

// The WebRTC of Node, @roamhq/wrtc 0.10.0, now and then hands messages of a data
// channel that the other side opened to the client before earlier ones: those that
// come between the moments when the channel's object begins to observe it and when
// it takes over what had come until then (src/interfaces/rtc_data_channel.cc).
//
// watch makes a WebRTC that is the same, and tells of channels by their labels
// whether messages came before the one with which npm peer-exchange 2.x begins. If
// what is 'late', that happens to the first message of the first channel; if it is
// 'garbled', that message begins with other bytes.
module.exports = function watch (wrtc, what) {
  var overtaken = {}

  function RTCPeerConnection (config) {
    var connection = new wrtc.RTCPeerConnection(config)
    connection.addEventListener('datachannel', function (event) {
      if (what) faults[what](event.channel)
      what = null
      listen(event.channel)
    })
    return connection
  }

  function listen (channel) {
    var label = channel.label
    var first = true
    channel.addEventListener('message', function onMessage (event) {
      if (event.data.byteLength === 5 && String(Buffer.from(event.data)) === '#PXP#') {
        overtaken[label] = !first
        channel.removeEventListener('message', onMessage)
      }
      first = false
    })
  }

  return Object.assign({}, wrtc, {
    RTCPeerConnection: RTCPeerConnection,
    overtaken: function (label) { return overtaken[label] === true }
  })
}

// How long what came first waits for the message that overtakes it, in milliseconds.
// An npm client sends five at once.
var LATE = 1000

var faults = {
  late: function (channel) {
    var dispatch = channel.dispatchEvent
    var held = []
    var timer = null
    function release () {
      clearTimeout(timer)
      channel.dispatchEvent = dispatch
      held.forEach(function (event) { channel.dispatchEvent(event) })
    }
    // That the channel is open came before its first message.
    channel.dispatchEvent = function (event) {
      if (event.type !== 'message' || !timer) {
        held.push(event)
        if (event.type === 'message') timer = setTimeout(release, LATE)
        return
      }
      dispatch.call(channel, event)
      release()
    }
  },

  garbled: function (channel) {
    var dispatch = channel.dispatchEvent
    channel.dispatchEvent = function (event) {
      if (event.type === 'message') {
        Buffer.from(event.data).write('HTTP/')
        channel.dispatchEvent = dispatch
      }
      dispatch.call(channel, event)
    }
  }
}
