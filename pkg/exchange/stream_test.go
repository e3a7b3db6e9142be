package exchange

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

// TestPeerIsConn runs the standard library's idea of a net.Conn over a Peer, with
// credit between two nodes of this module and without.
func TestPeerIsConn(t *testing.T) {
	for _, protocol := range []Protocol{V0, V1} {
		t.Run(protocol.String(), func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				network := memory.NewNetwork()
				peers := make(chan *Peer, 1)
				newNode := func(host string, onPeer func(*Peer)) *Exchange {
					ex, err := New("net", Config{
						Transports: []transports.Transport{network.New(memory.Config{Name: transports.TCP, Address: host}).Direct()},
						Protocol:   protocol, OnPeer: onPeer,
					})
					if err != nil {
						t.Fatal(err)
					}
					return ex
				}
				a, b := newNode("10.0.0.1", nil), newNode("10.0.0.2", func(p *Peer) { peers <- p })
				stop = func() { a.Close(); b.Close() }
				if err := b.Accept(ctx, transports.TCP, transports.Options{Port: 1000, Host: "10.0.0.2"}); err != nil {
					return nil, nil, nil, err
				}
				p, err := a.Connect(ctx, transports.TCP, "10.0.0.2", transports.Options{Port: 1000})
				if err != nil {
					return nil, nil, nil, err
				}
				return p, <-peers, stop, nil
			})
		})
	}
}

// A node that discards application data takes any amount of it.
func TestDiscardedDataIsCredited(t *testing.T) {
	for _, receive := range []string{"64KiB", "unlimited"} {
		inWorld(t, func(t *testing.T, w *world) {
			seed := w.seed("10.0.0.1", func(cfg *Config) { cfg.DiscardData = true }, limited("receive-buffer-bytes", receive))
			p := w.node("10.0.0.2").connect(seed)
			if n, err := p.Write(make([]byte, 1<<20)); n != 1<<20 || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
		})
	}
}
