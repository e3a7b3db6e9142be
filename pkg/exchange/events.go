package exchange

import "sync"

// maxEvents is how many calls of OnPeer and OnError may wait for the one that
// is running.
const maxEvents = 1024

// events calls the application's callbacks in order, one at a time, outside
// every lock. A goroutine exists only while there is something to call.
type events struct {
	mu    sync.Mutex
	space sync.Cond // signalled when queue shrinks; uses mu
	// Guarded by mu.
	queue   []func()
	running bool
	closed  bool
}

func (e *events) init() { e.space.L = &e.mu }

// post queues call. When maxEvents wait it blocks, which holds up the
// connection that has something to tell, and nobody else. After close it does
// nothing.
func (e *events) post(call func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.queue) >= maxEvents && !e.closed {
		e.space.Wait()
	}
	if e.closed {
		return
	}
	e.queue = append(e.queue, call)
	if !e.running {
		e.running = true
		go e.run()
	}
}

// run ends when the queue is empty. Nothing waits for it: a callback may itself
// call Close, and callbacks of an application that never return are its own.
func (e *events) run() {
	for {
		e.mu.Lock()
		if len(e.queue) == 0 {
			e.queue, e.running = nil, false
			e.mu.Unlock()
			return
		}
		call := e.queue[0]
		e.queue = e.queue[1:]
		e.space.Signal()
		e.mu.Unlock()
		call()
	}
}

// close drops what waits and lets go of whoever waits to post. It does not wait
// for a running callback, which may be the one that closes the exchange.
func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.queue = nil
	e.space.Broadcast()
}
