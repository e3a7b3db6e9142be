// Package netns holds the tests of peers that are on different networks: each peer
// and the seed run in a network namespace of their own, joined by nothing but the
// links that a test makes.
//
// The tests have the build tag interop. They need Linux, Debian's packages iproute2
// and util-linux, and root or a system that lets everybody make user namespaces:
//
//	go test -tags interop ./test/netns
//
// The test program starts itself again in namespaces of its own, and makes all others
// in there. So nothing on the machine has a name that it could collide with, and
// everything is gone when it ends, however it ends.
package netns
