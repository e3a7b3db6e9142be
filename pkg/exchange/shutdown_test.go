package exchange

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// Shutdown lets an introduction that is under way come to its end, and does not
// wait for the relay's time, which npm nodes never cut short.
func TestShutdownWaitsForIntroductions(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		in.asker.write(data(2, `{"type":"offer","sdp":`+quoted(offerSDP)+"}\n"))
		synctest.Wait()
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- in.seed.Shutdown(context.Background()) }()
		for i := range 4 {
			time.Sleep(2 * time.Second)
			in.asker.write(data(2, fmt.Sprintf(someCandidate, 1000+i)+"\n"))
		}
		select {
		case <-done:
			t.Fatal("cut off an introduction")
		default:
		}
		transport := in.seed.transports[transports.TCP].(transports.Dialer)
		if _, err := transport.Dial(ctx, in.seed.host, transports.Options{Port: 1000}); err == nil {
			t.Error("still accepts")
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		// Closing lingers for a peer that does not close its side.
		if took := time.Since(start); took > 8*time.Second+signalingQuiet+closeLinger+time.Second {
			t.Errorf("took %v", took)
		}
		if !in.asker.closed() || !in.candidate.closed() {
			t.Error("a peer is still connected")
		}
	})
}

func TestShutdownGivesUp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := introduce(w)
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := in.seed.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if !in.asker.closed() {
			t.Error("a peer is still connected")
		}
	})
}
