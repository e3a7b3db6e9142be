package exchange

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// A npm node answers the end of a channel, and takes the connection that is gone
// by then for an error. Its own close ends the connection and no channel.
func TestCloseEndsNoChannel(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.seed("10.0.0.1")
		for _, dial := range []func() (*raw, string){
			func() (*raw, string) { return w.dialRaw("10.0.0.2", n).shakeV0(""), "data" },
			func() (*raw, string) {
				r := w.dialRaw("10.0.0.3", n).shakeV1("{}")
				r.line(`["connect","1","net"]`)
				return r, "data:net"
			},
		} {
			r, channel := dial()
			peer := n.next()
			if _, err := io.WriteString(peer, "bye"); err != nil {
				t.Fatal(err)
			}
			peer.Close()
			if !r.closed() {
				t.Errorf("%s: the connection stands after Close", channel)
			}
			if payload, ended := r.came(channel); payload != "bye" || ended {
				t.Errorf("%s: got %q, ended %t; want all that was written and no end", channel, payload, ended)
			}
			if _, ended := r.came("pxp"); ended {
				t.Errorf("%s: the control channel was ended", channel)
			}
		}
	})
}

func TestCloseEndsNoRelay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		offer := `{"type":"offer","sdp":` + quoted(offerSDP) + "}\n"
		answer := strings.NewReplacer("offer", "answer", "actpass", "active").Replace(offer)
		in.asker.write(data(2, offer))
		if got := in.arrived(in.candidate); got != offer {
			t.Fatalf("the candidate got %q", got)
		}
		in.candidate.write(data(2, answer))
		if got := in.arrived(in.asker); got != answer {
			t.Fatalf("the asker got %q", got)
		}
		in.seed.Close()
		for _, r := range []*raw{in.asker, in.candidate} {
			if !r.closed() || in.ended(r) {
				t.Errorf("closed %t, relay ended %t; want only the connection closed", r.closed(), in.ended(r))
			}
		}
		if n := in.seed.Stats().Relays; n != 0 {
			t.Errorf("%d relays are left", n)
		}
	})
}

// TestCloseClosesDefaultTransports, since nobody else can, and a program that ends
// right after it would take along what is still on its way.
func TestCloseClosesDefaultTransports(t *testing.T) {
	ex, err := New("net", Config{})
	if err != nil {
		t.Fatal(err)
	}
	ex.Close()
	_, err = ex.transports[transports.WebRTC].(transports.Negotiator).Negotiate(t.Context(), transports.Initiator, nil)
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("the transport of a node that is closed returns %v", err)
	}
}
