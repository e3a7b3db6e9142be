package load

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Handshakes connects, becomes ready, leaves, and starts over. What it counts are connections that were ready and have
// been closed by the server after the client's close frame.
type Handshakes struct {
	Clients int // at a time

	target Target
	counter
}

// Setup implements [Workload].
func (h *Handshakes) Setup(_ context.Context, t Target) error {
	h.target = t
	return nil
}

// Run implements [Workload].
func (h *Handshakes) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for range h.Clients {
		group.Go(func() error {
			for ctx.Err() == nil {
				if err := h.once(ctx); err != nil {
					return unlessDone(ctx, err)
				}
				h.Add(1)
			}
			return nil
		})
	}
	return group.Wait()
}

func (h *Handshakes) once(ctx context.Context) error {
	c, err := dial(ctx, h.target, 2<<10)
	if err != nil {
		return err
	}
	if err := c.handshake(h.target, "{}"); err != nil {
		c.conn.Close()
		return fmt.Errorf("handshake: %w", err)
	}
	return c.close()
}
