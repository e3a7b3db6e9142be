'use strict'

// A page with one RTCPeerConnection that takes no way but through a TURN server.
// The test calls the functions, and carries descriptions from one page to another.

/* exported open, offer, answer, accept, echo, path */

var connection, channel

function open (seed, scheme, transport) {
  return fetch(seed + '/ice').then(function (response) {
    return response.json()
  }).then(function (ice) {
    var servers = ice.iceServers.map(function (server) {
      return Object.assign({}, server, {
        urls: server.urls.filter(function (url) {
          return url.indexOf(scheme + ':') === 0 && url.endsWith('?transport=' + transport)
        })
      })
    }).filter(function (server) {
      return server.urls.length > 0
    })
    connection = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy: 'relay' })
    connection.ondatachannel = function (event) {
      event.channel.onmessage = function (message) { event.channel.send(message.data) }
    }
    connection.onicecandidateerror = function (event) {
      console.log(event.url, event.errorCode, event.errorText)
    }
    return servers.map(function (server) { return server.urls.join() }).join()
  })
}

// gathered resolves to the description with its first candidate. To wait for the end would be to wait
// for each interface that does not reach the server by UDP, on which Chromium gives up after 40 seconds.
// Loopback is one, and is gathered on here.
function gathered (description) {
  return new Promise(function (resolve, reject) {
    connection.onicecandidate = function () { resolve(connection.localDescription.sdp) }
    connection.setLocalDescription(description).catch(reject)
  })
}

function offer () {
  channel = connection.createDataChannel('data')
  return connection.createOffer().then(gathered)
}

function answer (sdp) {
  return connection.setRemoteDescription({ type: 'offer', sdp: sdp }).then(function () {
    return connection.createAnswer()
  }).then(gathered)
}

function accept (sdp) {
  return connection.setRemoteDescription({ type: 'answer', sdp: sdp }).then(function () {
    return 'accepted'
  })
}

// echo sends messages until as many bytes came back as it was told, and says so.
function echo (bytes) {
  return new Promise(function (resolve, reject) {
    var back = 0
    channel.onmessage = function (message) {
      back += message.data.length
      if (back === bytes) resolve(String(back))
    }
    channel.onerror = function (event) { reject(event.error) }
    channel.onopen = function () {
      for (var sent = 0; sent < bytes; sent += 1000) channel.send('x'.repeat(Math.min(1000, bytes - sent)))
    }
    if (channel.readyState === 'open') channel.onopen()
  })
}

// path tells what the connection goes through: the type of its own candidate, and by what it reaches the relay.
function path () {
  return connection.getStats().then(function (stats) {
    var found = 'none'
    stats.forEach(function (transport) {
      if (transport.type !== 'transport') return
      var pair = stats.get(transport.selectedCandidatePairId)
      var local = pair && stats.get(pair.localCandidateId)
      if (local) found = local.candidateType + ' ' + local.relayProtocol
    })
    return found
  })
}
