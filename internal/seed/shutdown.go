package seed

import (
	"context"
	"sync"
	"time"
)

// requestDrainTime bounds how long HTTP requests in progress may take when the
// seed is shut down: their answers are short.
const requestDrainTime = time.Second

// Drain has Run send the peers elsewhere, shut the seed down in order and return.
// It does not wait for that, and may be called again.
func (s *Seed) Drain() { s.drained.Do(func() { close(s.drain) }) }

// draining tells whether the seed is shutting down.
func (s *Seed) draining() bool {
	select {
	case <-s.drain:
		return true
	default:
		return false
	}
}

// shutdown ends everything, front to back. Introductions in progress and TURN
// allocations may go on until ctx ends. empty ends the exchange.
func (s *Seed) shutdown(ctx context.Context, empty func(context.Context) error) {
	s.stop.Do(func() {
		s.Drain()
		s.exchange.LeaveMesh()
		close(s.entrance.done)
		for _, p := range s.ports {
			p.listener.Close()
		}
		if s.turn != nil {
			s.turn.closePorts()
		}
		s.accepting.Wait() // what they took is in the entrance's hands now
		s.closeRequests(ctx)
		s.entrance.close()
		var relayed sync.WaitGroup
		relayed.Go(func() { s.closeTURN(ctx) })
		if err := empty(ctx); err != nil {
			s.logger.Info("introductions were cut off", "err", err)
		}
		if s.webrtc != nil {
			s.webrtc.Close()
		}
		relayed.Wait()
		if s.admin != nil {
			s.admin.close()
		}
		s.running.Wait()
		s.logger.Info("shut down")
	})
}

// closeTURN lets TURN allocations end, and makes no new ones.
func (s *Seed) closeTURN(ctx context.Context) {
	if s.turn == nil {
		return
	}
	if err := s.turn.server.Shutdown(ctx); err != nil {
		s.logger.Info("TURN allocations were cut off", "err", err)
	}
}

// closeRequests lets HTTP requests end. It does not concern websockets: they are
// the exchange's.
func (s *Seed) closeRequests(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, requestDrainTime)
	defer cancel()
	s.requests.Close()
	if s.server.Shutdown(ctx) != nil {
		s.server.Close()
	}
	s.websockets.Close()
}

// Close ends the seed at once. It always returns nil.
func (s *Seed) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.shutdown(ctx, s.exchange.Shutdown)
	return nil
}
