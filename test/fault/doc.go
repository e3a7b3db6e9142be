// Package fault holds the tests of what happens to a network when seeds fail: they are
// killed, and their disks run full. The seeds are processes of the program as it is
// shipped.
//
// The tests have the build tag interop. They need Linux, and for a disk that is full
// mount namespaces: root, or a system that lets everybody make user namespaces.
//
//	go test -tags interop ./test/fault
package fault
