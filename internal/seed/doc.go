// Package seed is a bootstrap node: an exchange without an application, that is
// always there and knows who else is.
//
// A [Seed] listens on one port with TLS, and if asked on another without. What a
// connection speaks is told by its first bytes, so that websockets, HTTP and the
// exchange's own protocol share the port: an [entrance] looks at each new
// connection and leads it to the HTTP server, the exchange or the TURN server,
// which has ports of its own too and relays for peers that find no direct way.
// GET /ice gives out credentials for it. Until a connection is a peer it is one
// of a bounded number of pending ones, and each step that it takes is bounded in
// time. Whom a connection is from is what a trusted proxy says of it, in a PROXY
// header or in a request, or else where it comes from; whatever counts, logs or
// hands out addresses asks its RemoteAddr.
//
// Seeds of one network find each other by name and hold links, a [mesh]; what
// clients are told of them all is the [Bootstrap] document, of a file or as far as
// the seed knows. With --access=token each connection and request presents a token
// that [members] know. A seed that is told to drain sends its peers to the others
// before it ends.
//
// Operators have a port of their own, [admin], with metrics, health and status.
package seed
