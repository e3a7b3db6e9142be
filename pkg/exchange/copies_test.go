package exchange

import (
	"net"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

func TestCopies(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.seed("10.0.0.1")
		nameless := func(host string) *Peer {
			w.dialRaw(host, n).shakeV0("")
			return n.next()
		}
		for i := range 4 {
			if got, want := n.isCopy(nameless("10.9.0.1")), i >= maxCopies; got != want {
				t.Errorf("connection %d of a place is a copy: %v", i+1, got)
			}
		}
		if n.isCopy(nameless("10.9.0.2")) {
			t.Error("the first one of another place is a copy")
		}
		w.node("10.9.0.1").connect(n)
		if p := n.next(); p.Instance() == "" || n.isCopy(p) {
			t.Error("a node that says who it is is a copy")
		}
		for i := range 4 { // all of one machine, whatever address they use
			p := nameless([]string{"127.0.0.1", "127.0.0.2", "10.0.0.1", "127.0.0.1"}[i])
			if got, want := n.isCopy(p), i >= maxCopies; got != want {
				t.Errorf("connection %d of this machine is a copy: %v", i+1, got)
			}
		}
		var named [3]*Peer
		for i, alias := range []string{newID(), newID(), ""} {
			if alias == "" {
				alias = named[0].introduced
			}
			from, to := net.Pipe()
			defer from.Close()
			n.serveConn(to, transports.TCP, introduction{alias: alias})
			(&raw{t, from, newRawFrames(), make(chan struct{})}).shakeV0("")
			named[i] = n.next()
			if got, want := n.isCopy(named[i]), i == 2; got != want {
				t.Errorf("connection %d that has an alias is a copy: %v", i+1, got)
			}
		}
	})
}
