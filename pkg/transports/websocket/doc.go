// Package websocket is the transport "websocket": the exchange's stream in the
// messages of a websocket (RFC 6455), ws:// or wss:// with Options.Secure. It is
// the only transport that a browser can dial.
//
// What the npm packages expect of it (websocket-stream 3 over ws 1.1.5): a
// request for "/" without a subprotocol, and an answer without one; binary
// messages whose boundaries mean nothing; any Origin; and a TCP connection that
// the accepting side closes as soon as it has said Close.
//
// The protocol itself is gorilla/websocket's. What this package adds is a stream
// of bytes over it, whose errors and deadlines are those of a net.Conn, pings
// without a goroutine for each connection, and [Handler], which takes websockets
// on anybody's HTTP server.
package websocket
