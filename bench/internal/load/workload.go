package load

import (
	"context"
	"errors"
	"sync/atomic"
)

// Workload is one kind of load.
type Workload interface {
	// Setup connects whatever is needed before there can be load. If it fails, Run is not called.
	Setup(ctx context.Context, t Target) error
	// Run drives the target until ctx is done, which is no error. It leaves no connection open.
	Run(ctx context.Context) error
	// Done counts what has been done so far. It may be called at any time.
	Done() int64
}

// bufferBytes is a busy client's read buffer.
const bufferBytes = 16 << 10

// counter counts without the workload's goroutines waiting for each other.
type counter struct{ atomic.Int64 }

// Done implements [Workload].
func (c *counter) Done() int64 { return c.Load() }

// unlessDone hides what went wrong because ctx is done.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		return errors.New("client stopped early")
	}
	return err
}
