// Package wire turns what nodes say to each other into Go values and back: the
// control messages of both published generations of peer-exchange, and the
// WebRTC signals that a third node passes on for two others.
//
// Both generations write one JSON value a line ([Lines] takes a byte stream
// apart). Generation 0 (npm peer-exchange 0.4.x) writes objects, see [V0];
// generation 1 (npm peer-exchange 2.x with pxp 1.x) writes arrays of three, see
// [V1]. Decoding is lenient: what a node does not know it ignores. It is also
// bounded in length, depth and count, because the bytes come from strangers.
// Encoding is strict: the Append functions write, byte for byte, what
// JSON.stringify writes in the published packages, and never what is known to
// crash one of them.
//
// A [Guard] stands in the middle of a relay. It reads what one peer says to
// another, and what comes out of it was made anew from values it understood, so
// that nothing reaches a JavaScript node in a form that ends its connection or
// its process.
package wire
