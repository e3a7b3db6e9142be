// Package transport says what a transport is: a way for two nodes to get one
// byte stream between them. Package exchange speaks the peer-exchange protocol
// over whatever stream a transport hands it and knows nothing else about it.
//
// A transport has a name, by which nodes announce it to each other, and at
// least one of three abilities, each an interface of its own: [Dialer] connects
// to an address, [Listener] accepts connections, and [Negotiator] makes a
// connection out of signals that a third node passes on. Anyone can write one;
// package transporttest tells whether it is right.
package transport
