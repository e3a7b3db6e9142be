package memory

import (
	"net"
	"net/netip"
	"sync"
)

// backlog is how many connections wait to be accepted at most.
const backlog = 128

type listener struct {
	// Static after construction.
	network *Network
	addr    netip.AddrPort // the port is set by Network.register
	queue   chan *conn
	done    chan struct{}

	mu sync.Mutex
	// Guarded by mu.
	closed bool
}

func newListener(network *Network, addr netip.AddrPort) *listener {
	return &listener{
		network: network,
		addr:    addr,
		queue:   make(chan *conn, backlog),
		done:    make(chan struct{}),
	}
}

// offer queues a connection, unless the listener is closed or its backlog full.
func (l *listener) offer(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	select {
	case l.queue <- c:
		return true
	default:
		return false
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "memory", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close implements net.Listener. Connections that nobody accepted are closed.
func (l *listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	l.network.unregister(l)
	for {
		select {
		case c := <-l.queue:
			c.Close()
		default:
			return nil
		}
	}
}

func (l *listener) Addr() net.Addr { return tcpAddr(l.addr) }
