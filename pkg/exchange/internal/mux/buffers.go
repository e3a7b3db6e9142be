package mux

import "sync"

const (
	// idleReadBytes is what an idle session reads into. It takes any message
	// of a handshake but an unusually long one.
	idleReadBytes = 512
	// busyReadBytes is what a session reads into while more than that arrives
	// at a time.
	busyReadBytes = 64 << 10
	// maxDataFrame is the payload of one frame of application data, and about
	// how much one write to the connection carries.
	maxDataFrame = 64 << 10
	// queueBytes is the first size of a queue.
	queueBytes = 4 << 10
	// maxPooledQueue is the largest queue that is kept for reuse.
	maxPooledQueue = 64 << 10
)

// buffer is a byte slice that a pool can hold without allocating.
type buffer struct {
	b []byte
}

var (
	readBuffers  = sync.Pool{New: func() any { return &buffer{make([]byte, busyReadBytes)} }}
	queueBuffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, queueBytes)} }}
)

// recycleQueue keeps a queue for reuse, unless it has grown out of proportion.
func recycleQueue(q *buffer) {
	if q != nil && cap(q.b) <= maxPooledQueue {
		q.b = q.b[:0]
		queueBuffers.Put(q)
	}
}
