package webrtc

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

const aCandidate = `{"candidate":{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host"}}`

// Who has others negotiate and offers nothing costs them next to nothing, and not for
// long.
func TestNothingIsMadeBeforeTheOffer(t *testing.T) {
	const many = 50
	synctest.Test(t, func(t *testing.T) {
		tr := New(Config{})
		start := time.Now()
		ended := make(chan error)
		for range many {
			go func() {
				_, err := tr.Negotiate(t.Context(), transport.Responder, &script{signals: []string{aCandidate, `{}`, aCandidate}})
				ended <- err
			}()
		}
		synctest.Wait()
		tr.mu.Lock()
		if len(tr.conns) != many {
			t.Errorf("%d negotiations are in progress, want %d", len(tr.conns), many)
		}
		for conn := range tr.conns {
			if conn.pc != nil {
				t.Error("there is a PeerConnection before an offer")
			}
		}
		tr.mu.Unlock()
		if !tr.certificates.renew.IsZero() {
			t.Error("there is a certificate before an offer")
		}
		for range many {
			if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Negotiate returned %v, want that its time is over", err)
			}
		}
		if waited := time.Since(start); waited != defaultPatience {
			t.Errorf("it took %v, want %v", waited, defaultPatience)
		}
		if len(tr.conns) != 0 {
			t.Errorf("%d are left", len(tr.conns))
		}
		tr.Close()
	})
}

// A negotiation that waits for an offer ends with the transport.
func TestCloseEndsTheWaitForAnOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := New(Config{})
		ended := make(chan error, 1)
		go func() {
			_, err := tr.Negotiate(t.Context(), transport.Responder, &script{})
			ended <- err
		}()
		synctest.Wait()
		tr.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Negotiate returned %v, want net.ErrClosed", err)
		}
	})
}
