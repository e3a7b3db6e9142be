package websocket

import (
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

// maxOriginBytes bounds the Origin of a request; a host name has 253 bytes.
const maxOriginBytes = 512

// Handler takes websockets on an HTTP server and hands them out as a
// net.Listener. It serves any path and any Origin, and answers with no
// subprotocol, whatever is asked for. A connection that it has handed out is
// independent of the server: nothing of the request is kept but its Origin and
// token, which it looks at no further, and
// http.Server.Shutdown neither waits for it nor closes it.
type Handler struct {
	// Static after construction.
	config   Config
	addr     net.Addr
	upgrader websocket.Upgrader
	slots    chan struct{} // one token for each in queue, or about to be
	queue    chan *Conn
	done     chan struct{}

	mu sync.Mutex
	// Guarded by mu.
	closed bool
}

var (
	_ http.Handler = (*Handler)(nil)
	_ net.Listener = (*Handler)(nil)
)

// NewHandler makes a handler. addr is what Addr returns: the address of the
// server.
func NewHandler(addr net.Addr, config Config) *Handler {
	config = config.withDefaults()
	return &Handler{
		config: config,
		addr:   addr,
		upgrader: websocket.Upgrader{
			HandshakeTimeout:  max(config.HandshakeTimeout, 0),
			WriteBufferSize:   writeBuffer,
			WriteBufferPool:   &writeBuffers,
			CheckOrigin:       func(*http.Request) bool { return true },
			EnableCompression: config.Compression,
		},
		slots: make(chan struct{}, config.Backlog),
		queue: make(chan *Conn, config.Backlog),
		done:  make(chan struct{}),
	}
}

// ServeHTTP makes a websocket of the request's connection and returns. It
// answers with 426 if none is asked for, and with 503 if the handler is closed
// or too many wait to be accepted.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		http.Error(w, "this is a websocket", http.StatusUpgradeRequired)
		return
	}
	origin := r.Header.Get("Origin")
	if len(origin) > maxOriginBytes {
		http.Error(w, "Origin is too long", http.StatusRequestHeaderFieldsTooLarge)
		return
	}
	if !h.reserve() {
		http.Error(w, "too many connections", http.StatusServiceUnavailable)
		return
	}
	hijacked := &hijacked{ResponseWriter: w}
	ws, err := h.upgrader.Upgrade(hijacked, r, nil)
	if err != nil {
		<-h.slots // gorilla has answered
		return
	}
	conn := newConn(ws, strings.Clone(origin), RequestToken(r), &h.config)
	if !h.config.Compression { // what is there may be too little to inflate
		conn.buffered = hijacked.reader
	}
	h.hand(conn)
}

// reserve takes a place in the queue.
func (h *Handler) reserve() bool {
	select {
	case <-h.done:
		return false
	default:
	}
	select {
	case h.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// hand queues a connection that has a place.
func (h *Handler) hand(conn *Conn) {
	h.mu.Lock()
	closed := h.closed
	if !closed {
		h.queue <- conn
	}
	h.mu.Unlock()
	if closed {
		<-h.slots
		conn.closeWith(websocket.CloseGoingAway)
	}
}

// Accept implements net.Listener. The connection is a [*Conn].
func (h *Handler) Accept() (net.Conn, error) {
	select {
	case conn := <-h.queue:
		<-h.slots
		return conn, nil
	case <-h.done:
		return nil, &net.OpError{Op: "accept", Net: "websocket", Addr: h.addr, Err: net.ErrClosed}
	}
}

// Close implements net.Listener. From now on requests are answered with 503.
// Connections that nobody accepted are closed.
func (h *Handler) Close() error {
	h.mu.Lock()
	again := h.closed
	h.closed = true
	h.mu.Unlock()
	if again {
		return nil
	}
	close(h.done)
	for {
		select {
		case conn := <-h.queue:
			<-h.slots
			conn.closeWith(websocket.CloseGoingAway)
		default:
			return nil
		}
	}
}

// Addr implements net.Listener.
func (h *Handler) Addr() net.Addr { return h.addr }
