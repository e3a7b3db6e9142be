package seed

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// TestRelayData has two nodes that show nobody their addresses meet at a seed
// without TURN.
func TestRelayData(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		t.Run(fmt.Sprint("relay-data=", allowed), func(t *testing.T) {
			cfg := testConfig(t)
			cfg.WebRTCListen = ""
			cfg.RelayData = allowed
			s := startSeed(t, cfg)
			peers := make(chan *exchange.Peer, 8)
			var nodes [2]*exchange.Exchange
			var links [2]*exchange.Peer
			for i := range nodes {
				ways := webrtc.New(webrtc.Config{RelayOnly: true})
				t.Cleanup(func() { ways.Close() })
				ex, err := exchange.New(cfg.NetworkID, exchange.Config{
					Transports:       []transports.Transport{websocket.New(websocket.Config{}), ways},
					AllowRelayedData: true,
					OnPeer: func(p *exchange.Peer) {
						if !p.Outgoing() {
							peers <- p
						}
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { ex.Close() })
				nodes[i] = ex
			}
			if err := nodes[1].Accept(t.Context(), transports.WebRTC, transports.Options{}); err != nil {
				t.Fatal(err)
			}
			for i := range nodes {
				link, err := nodes[i].ConnectURL(testContext(t), fmt.Sprintf("ws://127.0.0.1:%d", s.plain))
				if err != nil {
					t.Fatal(err)
				}
				links[i] = link
			}
			s.await(testContext(t), t, 2)
			p, err := links[0].GetNewPeer(testContext(t))
			if !allowed {
				if !errors.Is(err, webrtc.ErrNoTURN) {
					t.Errorf("got %v, %v", p, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			other := <-peers
			const text = "through the seed"
			if _, err := io.WriteString(p, text); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(text))
			if _, err := io.ReadFull(other, got); err != nil || string(got) != text || p.Path() != exchange.PathRelay || other.Path() != exchange.PathRelay {
				t.Errorf("got %q by %v and %v, %v", got, p.Path(), other.Path(), err)
			}
			counted := gather(t, s)
			if counted["seed_data_relays_open"] != 1 || counted["seed_data_relays_opened_total"] != 1 || counted["seed_data_relay_bytes_total"] == 0 {
				t.Errorf("counted %v", counted)
			}
			if got := counted["seed_signaling_relays_open"]; got != 0 {
				t.Errorf("%v signaling relays are left", got)
			}
		})
	}
}
