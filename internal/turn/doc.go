// Package turn is a TURN and STUN server (RFC 8656, RFC 8489): the way of last
// resort for two peers that cannot reach each other.
//
// pion/turn speaks the protocol and keeps the allocations. It has no quotas, tells
// nobody what happens, and spends much of its time on what each relayed message
// does again, so it is wrapped, in one place: a [gate] stands between a pion server
// and a client's socket, is pion's net.PacketConn, auth handler, permission handler
// and relay allocator at once, and sees every request on its way in and every
// response on its way out. What a client was granted is therefore known here, too,
// in a [session], and data goes from socket to socket without pion:
//
//	client ──► socket ──► gate ──► ChannelData, Send ──► session ──► relay ──► peer
//	                       │                               ▲           │
//	                       └──► requests ──► pion ──► gate ┘           │
//	client ◄── socket ◄──────────────────────── session ◄──────────────┘
//
// Each UDP socket has a pion server of its own, and so has each TCP connection. All
// that a gate does for a request thus happens in one goroutine, one request after
// the other, which is how the relay allocator knows for whom it allocates. It also
// makes a TCP connection's end the end of its allocation.
//
// # What pion/turn v2.1.6 does, and what is made of it here
//
//   - Relayed addresses are IPv4. A request for IPv6 gets 440, an IPv6 peer 443.
//   - It relays UDP only, and takes a request for TCP (RFC 6062) for one. Such a
//     request gets 442.
//   - Whatever is wrong with credentials, it answers 400 and no permission with 401
//     or without a code. Clients get 401, 441, and 403.
//   - It does not answer requests for an allocation that is not there. Clients get 437.
//   - It never looks at a RESERVATION-TOKEN, and reserves nothing but takes note of a
//     reservation for each even port; a request for the next higher port or with a token
//     is honoured here, and the note counts as one more allocation for its 30 seconds.
//   - Its lifetimes: a permission 5 minutes, a channel 10, an allocation 10 minutes
//     or what is asked for if that is less than an hour. DONT-FRAGMENT gets 420.
//   - No mobility (RFC 8016), no DTLS.
//   - A UDP socket that listens on all addresses answers from the one that the
//     system picks. Give the addresses of a machine that has several one by one.
package turn
