// Package webrtc connects two nodes directly, through NATs, with a WebRTC data
// channel. It is a [transports.Negotiator]: the two nodes exchange signals
// through a third node until ICE has found a path between them, and then the
// data channel carries a byte stream like any other transport's.
//
// The signals and the channel are those of npm simple-peer 6.4.4, which the
// published clients use: trickled candidates, one ordered and reliable binary
// channel made by the initiator, no word after the connection stands. ICE, DTLS
// and SCTP are pion's.
package webrtc
