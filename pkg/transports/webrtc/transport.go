package webrtc

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v2"
	piontransport "github.com/pion/transport/v2"
	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// takeDownPatience is how long a negotiation that failed may go on until all of
// it is gone.
const takeDownPatience = time.Second

var _ transport.Negotiator = (*Transport)(nil)

// Transport negotiates WebRTC connections. It is safe for concurrent use.
type Transport struct {
	// Static after construction.
	cfg      Config
	external []netip.AddrPort
	log      *loggerFactory
	net      piontransport.Net
	err      error // what is wrong with the Config
	timeouts iceTimeouts
	goodbye  time.Duration // how long a closed connection may deliver what was written
	patience time.Duration // how long a responder waits for the offer

	learned      learned
	certificates certificates

	running sync.WaitGroup // one for each of conns

	mu sync.Mutex
	// Guarded by mu.
	closed bool
	conns  map[*Conn]func(error) // with what ends a negotiation
	mux    ice.UDPMux
	muxErr error
	bound  bool
}

// New returns a transport. A mistake in cfg is reported by Bind and Negotiate.
// A transport without MuxAddr and MuxConn need not be closed.
func New(cfg Config) *Transport {
	t := &Transport{cfg: cfg.withDefaults(), timeouts: defaultTimeouts, goodbye: defaultGoodbye, patience: defaultPatience}
	t.log = newLoggerFactory(t.cfg.Logger)
	if t.err = t.cfg.validate(); t.err == nil {
		t.external, t.err = t.cfg.external()
	}
	if t.err == nil {
		t.net, t.err = newNetwork()
	}
	if t.err != nil {
		t.err = fmt.Errorf("configure webrtc: %w", t.err)
	}
	return t
}

// Name returns "webrtc".
func (*Transport) Name() string { return transport.WebRTC }

// Bind opens the shared UDP port of the configuration, if there is one. The
// first Negotiate does that too; a program that wants to fail at its start, and
// to know the port, calls Bind then. Calling it again returns the same result.
func (t *Transport) Bind() error {
	_, err := t.bind()
	return err
}

func (t *Transport) bind() (ice.UDPMux, error) {
	if t.err != nil {
		return nil, t.err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, fmt.Errorf("bind webrtc: %w", net.ErrClosed)
	}
	if !t.bound {
		t.bound = true
		t.mux, t.muxErr = t.openMux()
	}
	return t.mux, t.muxErr
}

// Addrs returns the local addresses of the shared UDP port, nil before Bind or
// without one.
func (t *Transport) Addrs() []net.Addr {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mux == nil {
		return nil
	}
	return t.mux.GetListenAddresses()
}

// Negotiate makes a connection out of signals in the form of simple-peer. The
// initiator creates the data channel and sends the offer; the responder answers
// and takes the channel that arrives. It returns a *[Conn].
//
// ctx bounds the negotiation. A responder waits 15 seconds for the offer, and as long
// as there is none has made nothing of what WebRTC needs. An initiator may else wait
// for as long as the other node says nothing. Once an offer and an answer are there,
// ICE gives up by itself after 30 seconds with [ErrNoPath]. What the other node signals wrongly is an
// [ErrSignal]. Signals are neither sent nor received after Negotiate returned.
func (t *Transport) Negotiate(ctx context.Context, role transport.Role, signals transport.Signaling) (net.Conn, error) {
	mux, err := t.bind()
	if err != nil {
		return nil, err
	}
	conn, err := t.negotiate(ctx, mux, role, signals)
	if err != nil {
		return nil, fmt.Errorf("negotiate webrtc as %s: %w", role, err)
	}
	return conn, nil
}

func (t *Transport) negotiate(ctx context.Context, mux ice.UDPMux, role transport.Role, signals transport.Signaling) (*Conn, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if _, err := t.peerConfig(); err != nil {
		return nil, err
	}
	conn := newConn(t)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	n := newNegotiation(conn, role, stop)
	if !t.register(conn, n.fail) {
		return nil, net.ErrClosed
	}
	if err := n.run(ctx, mux, signals); err != nil {
		t.takeDown(conn)
		return nil, err
	}
	return conn, nil
}

// takeDown ends a connection that did not come about. That is quick unless pion
// waits for a STUN or TURN server that does not answer; then it goes on without
// the caller, who has a deadline.
func (t *Transport) takeDown(conn *Conn) {
	if conn.pc == nil {
		t.unregister(conn) // nothing has been started
		return
	}
	down := make(chan struct{})
	go func() { // Close waits for it
		defer close(down)
		defer t.unregister(conn)
		_ = conn.pc.GracefulClose()
	}()
	patience := time.NewTimer(takeDownPatience)
	defer patience.Stop()
	select {
	case <-down:
	case <-patience.C:
	}
}

// register adds a connection that is being negotiated, with what ends that. It
// does not if the transport is closed.
func (t *Transport) register(conn *Conn, abort func(error)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	if t.conns == nil {
		t.conns = make(map[*Conn]func(error))
	}
	t.conns[conn] = abort
	t.running.Add(1)
	return true
}

// unregister removes a connection that has been taken down.
func (t *Transport) unregister(conn *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.conns[conn]; ok {
		delete(t.conns, conn)
		t.running.Done()
	}
}

// newPeerConnection makes pion's connection as the configuration wants it.
func (t *Transport) newPeerConnection(mux ice.UDPMux) (*pion.PeerConnection, error) {
	config, err := t.peerConfig()
	if err != nil {
		return nil, err
	}
	certificate, err := t.certificates.current()
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	config.Certificates = []pion.Certificate{certificate}
	settings := t.settings(mux)
	if t.cfg.TLS != nil {
		settings.SetICEProxyDialer(newTURNDialer(t.cfg.TLS, config.ICEServers))
	}
	api := pion.NewAPI(pion.WithSettingEngine(settings))
	pc, err := api.NewPeerConnection(config)
	if err != nil {
		return nil, fmt.Errorf("create peer connection: %w", err)
	}
	return pc, nil
}

// Close ends all negotiations and connections, waits until they are down, and
// closes the shared UDP port. As connections deliver what was written before,
// that takes up to five seconds, or ten while a TURN server does not answer. It
// is idempotent.
func (t *Transport) Close() error {
	t.mu.Lock()
	wasClosed := t.closed
	t.closed = true
	conns := maps.Clone(t.conns)
	mux := t.mux
	t.mu.Unlock()

	for conn, abort := range conns {
		if !conn.closeOpen() {
			abort(net.ErrClosed)
			conn.closeOpen() // it was opened just now
		}
	}
	t.running.Wait()
	if wasClosed || mux == nil {
		return nil
	}
	if err := mux.Close(); err != nil {
		return fmt.Errorf("close webrtc port: %w", err)
	}
	return nil
}
