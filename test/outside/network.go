package outside

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
)

// Network is what an application is told of a network.
type Network struct {
	// ID is the network ID.
	ID string
	// CAFile is a PEM file with the authority of the seeds' certificates.
	CAFile string
	// Seeds have the addresses of each of two seeds or more, as published.
	Seeds [][]string
	// Key verifies the bootstrap document. Nil if it is not signed.
	Key ed25519.PublicKey
	// Lab makes the clients. Where they share an address, npm clients at different seeds do
	// not meet each other, so its Node processes are elsewhere, unless all are at loopback.
	Lab *clients.Lab
}

// address is that of a seed with a scheme.
func (n Network) address(t *testing.T, seed int, scheme string) string {
	t.Helper()
	for _, address := range n.Seeds[seed] {
		if strings.HasPrefix(address, scheme+"://") {
			return address
		}
	}
	t.Fatalf("seed %d is not published with %s: %v", seed, scheme, n.Seeds[seed])
	return ""
}

func (n Network) endpoint(t *testing.T, seed int, scheme string) clients.Endpoint {
	t.Helper()
	e, err := clients.ParseEndpoint(n.address(t, seed, scheme))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// origin is where a seed answers https.
func (n Network) origin(t *testing.T, seed int) string {
	t.Helper()
	return "https" + strings.TrimPrefix(n.address(t, seed, "wss"), "wss")
}
