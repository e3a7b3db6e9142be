//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// node is a Go client outside of the cluster: it keeps itself connected to seeds, and
// meets others over WebRTC. What others say, it says back.
type node struct {
	*exchange.Exchange
	t *testing.T
}

// seedAgent is what seeds call themselves.
const seedAgent = "peerexchange-seed/"

// newNode starts from the published addresses, and keeps connected to that many seeds. It looks
// for that many other nodes; negative is none.
func (n *network) newNode(seeds, peers int) *node {
	n.t.Helper()
	return n.newNodeWith(nodeConfig{addresses: n.addresses("wss"), roots: n.roots(), seeds: seeds, peers: peers})
}

// nodeConfig is of a node that is not as most.
type nodeConfig struct {
	addresses    []string // to start from
	roots        *x509.CertPool
	seeds, peers int
	relayed      bool // it is reached through TURN only
}

func (n *network) newNodeWith(config nodeConfig) *node {
	n.t.Helper()
	ways := transports.Default()
	if config.relayed {
		way := webrtc.New(webrtc.Config{RelayOnly: true, TLS: &tls.Config{RootCAs: config.roots}})
		n.t.Cleanup(func() { way.Close() })
		ways = []transports.Transport{websocket.New(websocket.Config{}), way}
	}
	logger := slog.New(slog.NewTextHandler(n.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	ex, err := exchange.New(n.id, exchange.Config{
		Logger:     logger,
		Transports: ways,
		TLS:        &tls.Config{RootCAs: config.roots},
		OnPeer: func(p *exchange.Peer) {
			if !p.Outgoing() {
				go io.Copy(p, p)
			}
		},
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { ex.Close() })
	if err := ex.Accept(n.t.Context(), transports.WebRTC, transports.Options{}); err != nil {
		n.t.Fatal(err)
	}
	keeper, err := exchange.NewMaintainer(ex, exchange.MaintainerConfig{
		Seeds: config.addresses, SeedConnections: config.seeds, Peers: config.peers, MaxBackoff: 5 * time.Second, Logger: logger,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		keeper.Run(ctx)
	}()
	n.t.Cleanup(func() {
		cancel()
		<-ended
	})
	return &node{ex, n.t}
}

// seeds are the addresses of the seeds that the node is connected to.
func (e *node) seeds() []string {
	var all []string
	for _, p := range e.Peers() {
		if strings.HasPrefix(p.Agent(), seedAgent) {
			all = append(all, p.DialedURL())
		}
	}
	return all
}

// others are the nodes that it is connected to.
func (e *node) others() []*exchange.Peer {
	var all []*exchange.Peer
	for _, p := range e.Peers() {
		if !strings.HasPrefix(p.Agent(), seedAgent) {
			all = append(all, p)
		}
	}
	return all
}

// eventually waits for what becomes of nodes, which nobody tells of.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.After(stepTime)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-end:
			t.Fatalf("it did not come to this within %v: %s", stepTime, what)
		}
	}
}
