package check

import (
	"context"
	"net"
	"sync/atomic"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// bystander is a node of the network that accepts all that nodes accept.
type bystander struct {
	heard atomic.Int32 // negotiations and connections that others began
}

// startBystander connects one to a seed.
func startBystander(t *testing.T, url string) *bystander {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b := new(bystander)
	ex, err := exchange.New("net", exchange.Config{
		Transports: []transports.Transport{websocket.New(websocket.Config{}), tcp.New(tcp.Config{}), deaf{&b.heard}},
		OnPeer: func(p *exchange.Peer) {
			if !p.Outgoing() && p.Agent() != "peerexchange-seed/test" {
				b.heard.Add(1)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ex.Close() })
	for _, transport := range []string{transports.WebRTC, transports.TCP} {
		if err := ex.Accept(ctx, transport, transports.Options{Host: "127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ex.ConnectURL(ctx, url); err != nil {
		t.Fatal(err)
	}
	return b
}

// deaf is a transport named webrtc that counts negotiations.
type deaf struct{ heard *atomic.Int32 }

func (deaf) Name() string { return transports.WebRTC }

func (d deaf) Negotiate(context.Context, transports.Role, transports.Signaling) (net.Conn, error) {
	d.heard.Add(1)
	return nil, net.ErrClosed
}
