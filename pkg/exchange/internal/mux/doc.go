// Package mux carries named channels over one connection, in the framing of the
// npm package multiplex 6.7: every frame is a varint of channel id and type, a
// varint of the payload's length, and the payload.
//
// What the published peer-exchange clients call a shared stream is two one-way
// channels of the same name, one opened by each side. A [Channel] is both
// halves: what the other side sends on the name goes to a [Receiver], what is
// sent goes out on an id of our own. The session writes open, data and end
// frames of its own ids and nothing else, because a destroy frame makes a
// JavaScript node drop the whole connection; from the other side it takes
// everything, and a destroy frame ends one channel only.
//
// A [Session] has one goroutine, the caller of [Session.Run], which reads.
// Payload is never reassembled: it is handed on in the pieces that it arrives
// in. Writing has two lanes. Control messages and relayed signals are queued
// without blocking, up to a limit that ends the session, and several of them
// leave in one write. Application data blocks its writer instead, and leaves
// only while nothing is queued. Nothing a stranger sends makes a session
// remember more than its limits allow, and an idle session holds no buffers but
// a small one to read into.
package mux
