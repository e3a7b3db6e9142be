//go:build interop

package netns

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// What a peer is told in its environment.
const (
	peerSeed  = "TEST_NETNS_PEER_SEED" // a URL
	peerAsks  = "TEST_NETNS_PEER_ASKS" // not empty: it asks for a peer and ends; else it answers
	networkID = "netns"
)

// meeting is what an asker says on its standard output.
type meeting struct {
	Path   string // of the connection
	Remote string // the address that it leads to
}

// payload is how much goes each way over a connection.
const payload = 1 << 20

// runPeer is a node as applications have it: nothing is configured but the seed.
func runPeer() error {
	ctx, cancel := context.WithTimeout(context.Background(), stepTime)
	defer cancel()
	ex, err := exchange.New(networkID, exchange.Config{
		OnPeer: func(p *exchange.Peer) {
			if !p.Outgoing() {
				go io.Copy(p, p)
			}
		},
		OnError: func(err error) { fmt.Fprintln(os.Stderr, err) },
	})
	if err != nil {
		return err
	}
	defer ex.Close()
	if err := ex.Accept(ctx, transports.WebRTC, transports.Options{}); err != nil {
		return err
	}
	seed, err := ex.ConnectURL(ctx, os.Getenv(peerSeed))
	if err != nil {
		return err
	}
	if os.Getenv(peerAsks) == "" {
		fmt.Println("ready")
		_, err := io.Copy(io.Discard, os.Stdin) // until the test ends
		return err
	}
	p, err := find(ctx, seed)
	if err != nil {
		return err
	}
	if err := echo(p); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(meeting{p.Path().String(), p.RemoteAddr().String()})
}

// find asks until there is somebody: the seed may know of a peer a moment later than
// the peer does.
func find(ctx context.Context, seed *exchange.Peer) (*exchange.Peer, error) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		p, err := seed.GetNewPeer(ctx)
		if !errors.Is(err, exchange.ErrNoCandidates) {
			return p, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

func echo(p *exchange.Peer) error {
	sent := make([]byte, payload)
	rand.Read(sent)
	writing := make(chan error, 1)
	go func() {
		_, err := p.Write(sent)
		writing <- err
	}()
	got := make([]byte, payload)
	_, err := io.ReadFull(p, got)
	if err := errors.Join(err, <-writing); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	if !bytes.Equal(sent, got) {
		return errors.New("what came back is something else")
	}
	return nil
}
