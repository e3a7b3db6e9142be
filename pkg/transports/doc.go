// Package transports has what most nodes need of the transports: their names,
// the types to write one, and [Default], the set that a node uses if it is not
// given another.
//
// A transport is a way for two nodes to get one byte stream between them; what
// one has to do is said in package transport. The transports of this module are
// in tcp, websocket and webrtc, and memory is one for tests. Package
// transporttest tells whether one of your own is right.
package transports
