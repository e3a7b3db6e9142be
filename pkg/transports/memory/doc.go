// Package memory is a transport for tests. Its nodes are on a network that
// exists in this process only: dialing, accepting and negotiating take no
// sockets and no real time, so it works inside a testing/synctest bubble.
package memory
