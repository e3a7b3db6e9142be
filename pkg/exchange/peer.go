package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// closeLinger is how long a closed connection may take to deliver what was
// written to it before.
const closeLinger = 2 * time.Second

// Peer is a connection to another node: a net.Conn that carries the
// application's bytes, beside the exchange's own conversation. Whoever gets a
// Peer closes it when done; what arrives must be read, since with an npm node
// unread data stops the connection (see Limits.ReceiveBufferBytes).
type Peer struct {
	// Static after construction.
	ex         *Exchange
	conn       net.Conn
	transport  string
	outgoing   bool
	serial     uint64     // tells peers apart without holding them
	addr       netip.Addr // where the other node was seen, un-mapped; may be zero
	dialed     string     // see DialedURL
	chosen     bool       // this node dialed it because the application named it, not another node
	introduced string     // what it is called by the one who introduced it; empty if nobody has, or it has an instance
	session    *mux.Session
	stream     *stream
	expected   bool          // it was taken beyond the limits for strangers, to be a sibling
	release    func()        // gives back its place among strangers; may be called again
	ready      chan struct{} // closed once the handshake is complete
	done       chan struct{} // closed once the peer is no longer usable

	// Static once the first bytes were seen or sent, before anything else is.
	protocol Protocol
	dialect  dialect
	control  *mux.Channel

	// Owned by the read loop.
	lines      wire.Lines
	links      bool          // it is to become a link to a sibling, or nothing; set before for one that is dialed
	token      string        // to present in hello
	introducer *Peer         // who is in between, until the other node is admitted
	replaces   []*Peer       // connections to the same instance that go when this one is ready
	refusal    error         // why the other node is turned away, which it has still to hear
	teaches    bool          // its ICE servers are in use
	pace       *rate.Limiter // of its control messages; lazily

	handshakeTimer *time.Timer // nil once the handshake is over, or without a bound

	// Static once the peer is ready.
	valid func() bool // see Authorized; may be nil

	sibling atomic.Pointer[link] // from the moment that it has proved to be one

	heard  atomic.Int64 // when something was last received, in Unix nanoseconds
	relays atomic.Int32 // signaling relays this peer takes part in

	// Guarded by ex.mu.
	hello    hello
	listings []*listing    // what of it others may be offered
	readyAt  time.Time     // zero until ready
	iceDue   time.Time     // when it is to get ICE servers again; zero for never
	rival    *Peer         // an older connection to the same instance
	checks   *rate.Limiter // of its candidates; lazily
	offered  *offers       // lazily
	alias    string        // what this node calls it to others; empty if it has an instance, or nobody was told of it yet
	farewell *farewell     // lazily

	mu sync.Mutex
	// Guarded by mu.
	err      error               // why the peer ended
	detached map[closer]struct{} // relays and negotiations that end with the peer
}

// closer is what ends together with a peer.
type closer interface{ peerEnded(*Peer) }

// dialect is a generation of the protocol as spoken on one connection. Its
// methods are called by the read loop, but for announce, unannounce and newConn.
type dialect interface {
	// begin sends what a connection starts with.
	begin() error
	// line takes one control message.
	line(line []byte) error
	// announce and unannounce tell a ready peer what is accepted now.
	announce(transport string, opts json.RawMessage)
	unannounce(transport string)
	// newConn asks the peer for another one and connects to it, without a
	// handshake yet.
	newConn(ctx context.Context) (*connected, error)
}

// newPeer makes the peer of a connection, whose goroutine is not started yet.
func newPeer(ex *Exchange, conn net.Conn, transport string, outgoing bool) *Peer {
	p := &Peer{
		ex:        ex,
		conn:      conn,
		transport: transport,
		outgoing:  outgoing,
		serial:    serials.Add(1),
		addr:      hostOf(conn.RemoteAddr()),
		ready:     make(chan struct{}),
		done:      make(chan struct{}),
		lines:     wire.Lines{Max: ex.limits.lineBytes()},
	}
	p.session = mux.New(conn, mux.Config{
		MaxNameBytes:  ex.limits.ChannelNameBytes,
		MaxChannels:   ex.limits.ChannelsPerPeer,
		MaxQueueBytes: ex.limits.OutboundQueueBytes,
	})
	buffer := ex.limits.ReceiveBufferBytes
	if transport == Relay {
		buffer = p.window()
	}
	p.stream = newStream(buffer, ex.config.DiscardData, p.grant)
	return p
}

var serials atomic.Uint64

// run is the peer's goroutine: it reads until the connection ends. When the peer
// is ready another one goes on, with a stack that the handshake has not grown.
func (p *Peer) run() {
	received, err := p.greet()
	if err == nil {
		err = p.session.RunFrom(received)
	}
	if err == mux.ErrPaused {
		p.ex.running.Go(p.goOn)
		return
	}
	p.over(err)
}

// goOn reads from a peer that is ready.
func (p *Peer) goOn() { p.over(p.session.Run()) }

// over ends a peer whose read loop ended.
func (p *Peer) over(err error) {
	p.stopHandshakeTimer()
	if p.refusal != nil {
		err = p.refusal
	}
	p.fail(err)
	p.ended()
	p.session.Wait()
	p.release()
}

// greet begins the conversation, or finds out in which generation the other node
// has begun it. It returns what came of the multiplexed stream by then.
func (p *Peer) greet() ([]byte, error) {
	p.startHandshakeTimer()
	if p.outgoing {
		if err := p.speak(p.protocol); err != nil {
			return nil, err
		}
	}
	protocol, received, err := detect(p.conn)
	if err != nil {
		return nil, err
	}
	if p.transport == Relay && protocol != V0 {
		return nil, ErrVersionMismatch
	}
	if !p.outgoing {
		p.session.Hold() // our hello leaves together with the answer to theirs
		return received, p.speak(protocol)
	}
	if protocol != p.protocol {
		return nil, ErrVersionMismatch
	}
	return received, nil
}

// startHandshakeTimer ends the peer if it is not ready in time.
func (p *Peer) startHandshakeTimer() {
	timeout := p.ex.limits.HandshakeTime
	if timeout <= 0 {
		return
	}
	p.handshakeTimer = time.AfterFunc(timeout, func() {
		if !isClosed(p.ready) {
			p.fail(ErrHandshakeTimeout)
		}
	})
}

func (p *Peer) stopHandshakeTimer() {
	if p.handshakeTimer != nil {
		p.handshakeTimer.Stop()
		p.handshakeTimer = nil
	}
}

// speak begins the conversation.
func (p *Peer) speak(protocol Protocol) (err error) {
	p.protocol = protocol
	data := "data"
	if protocol == V1 {
		data = "data:" + p.ex.id
		p.dialect = newV1(p)
		p.session.SendMagic([]byte(magic))
	} else {
		p.dialect = newV0(p)
	}
	if p.control, err = p.session.Channel("pxp", controlReceiver{p}); err != nil {
		return err
	}
	channel, err := p.session.Channel(data, dataReceiver{p})
	if err != nil {
		return err
	}
	p.stream.bind(channel)
	return p.dialect.begin()
}

// controlReceiver takes the bytes of the control channel.
type controlReceiver struct{ p *Peer }

func (r controlReceiver) Receive(piece []byte) error {
	r.p.heard.Store(time.Now().UnixNano())
	return r.p.lines.Feed(piece, r.p.takeLine)
}

// End leaves a peer that will not say anything any more but may still listen,
// as npm nodes do.
func (r controlReceiver) End() {}

// takeLine passes a control message on, unless the peer was closed and there is
// nobody to answer it.
func (p *Peer) takeLine(line []byte) error {
	if p.isClosed() {
		return nil
	}
	return p.dialect.line(line)
}

func (p *Peer) isClosed() bool { return isClosed(p.done) }

// isClosed tells whether a channel that nobody sends on is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// dataReceiver takes the bytes of the data channel.
type dataReceiver struct{ p *Peer }

func (r dataReceiver) Receive(piece []byte) error {
	r.p.heard.Store(time.Now().UnixNano())
	return r.p.stream.Receive(piece)
}

func (r dataReceiver) End() { r.p.stream.End() }

// becomeReady ends the handshake. The read loop calls it, once.
func (p *Peer) becomeReady() error {
	if err := p.ex.addPeer(p); err != nil {
		return err
	}
	for _, old := range p.replaces {
		old.retire()
	}
	p.replaces = nil
	p.ex.counters.handshakes.Add(1)
	close(p.ready)
	p.stopHandshakeTimer()
	p.session.Pause()
	p.ex.logger.Debug("peer connected", p.logFields()...)
	if l := p.sibling.Load(); l != nil {
		p.ex.linked(l) // no affair of the application's
		return nil
	}
	if p.ex.config.OnPeer != nil {
		p.ex.events.post(func() { p.ex.config.OnPeer(p) })
	}
	return nil
}

// ended cleans up after the read loop.
func (p *Peer) ended() {
	p.ex.removePeer(p)
	p.forgetICE()
	p.mu.Lock()
	err := p.err
	p.stream.fail(err) // a retired peer could be read until now
	detached := p.detached
	p.detached = nil
	p.mu.Unlock()
	for c := range detached {
		c.peerEnded(p)
	}
	p.ex.connectionEnded(p, err)
}

// attach makes c end with the peer. It tells whether the peer is still there.
func (p *Peer) attach(c closer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return false
	}
	if p.detached == nil {
		p.detached = make(map[closer]struct{})
	}
	p.detached[c] = struct{}{}
	return true
}

func (p *Peer) detach(c closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.detached, c)
}

// fail ends the peer at once. The first reason wins.
func (p *Peer) fail(reason error) {
	p.end(reason)
	p.session.Close(reason)
}

// end makes the peer unusable and records why.
func (p *Peer) end(reason error) (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return false
	}
	p.err = reason
	p.stream.fail(reason)
	close(p.done)
	return true
}

// Close disconnects the peer. What was written before is still sent, in the
// background and for at most two seconds. It returns nil and may be called again.
func (p *Peer) Close() error {
	p.stream.close()
	p.dismiss(net.ErrClosed)
	return nil
}

// dismiss ends the peer for a reason and closes the connection once what was
// sent has had the time to arrive.
func (p *Peer) dismiss(reason error) {
	if !p.end(reason) {
		return
	}
	p.ex.removePeer(p)
	// The peer's own goroutine has not ended yet, so Exchange.Close waits for this one.
	p.ex.running.Go(p.linger)
}

// retire ends a peer in favour of another connection to the same node. The other
// side does so too, but may learn of it later: what it wrote until then is still
// read, for as long as a closed connection lingers.
func (p *Peer) retire() {
	p.mu.Lock()
	ended := p.err != nil
	if !ended {
		p.err = ErrDuplicate
		p.stream.stopWriting(ErrDuplicate)
		close(p.done)
	}
	p.mu.Unlock()
	if ended {
		return
	}
	p.ex.removePeer(p)
	p.ex.running.Go(func() {
		linger := time.NewTimer(closeLinger)
		defer linger.Stop()
		select {
		case <-linger.C:
		case <-p.session.Done():
		case <-p.ex.lifetime.Done():
		}
		p.session.Close(ErrDuplicate)
	})
}

// linger closes the connection once the other node has had the chance to take
// what was written.
func (p *Peer) linger() {
	part(context.Background(), p.session, p.conn)
}

// part closes a connection in order, in at most closeLinger. To close it while
// something unread is on its way here would make TCP throw away what is on its
// way there.
func part(ctx context.Context, session *mux.Session, conn net.Conn) {
	defer session.Close(net.ErrClosed)
	ctx, cancel := context.WithTimeout(ctx, closeLinger)
	defer cancel()
	if err := session.Flush(ctx); err != nil {
		return
	}
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	// The other node answers the end of our half by ending its own.
	select {
	case <-session.Done():
	case <-ctx.Done():
	}
}

// Done is closed when the peer is disconnected, by either side.
func (p *Peer) Done() <-chan struct{} { return p.done }

// Err tells why the peer is disconnected: nil while it is connected,
// net.ErrClosed after Close, io.EOF when the other node closed, or what went wrong.
func (p *Peer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// ID tells the peer apart from every other one that this process has or had. It
// is the "peer" of log records, and means nothing to other nodes.
func (p *Peer) ID() uint64 { return p.serial }

// Since is when the peer became ready, or the zero time for one that did not.
func (p *Peer) Since() time.Time {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	return p.readyAt
}

func (p *Peer) kind() PeerKind { return PeerKind{p.transport, p.protocol} }

// Transport is the name of the transport that the connection uses.
func (p *Peer) Transport() string { return p.transport }

// Protocol is the generation of the protocol that is spoken.
func (p *Peer) Protocol() Protocol { return p.protocol }

// Outgoing tells whether this node made the connection. Of a negotiated one, the
// node that asked for a peer made it.
func (p *Peer) Outgoing() bool { return p.outgoing }

// DialedURL is the address that this node dialed to reach the peer, such as
// "wss://seed.example:443", or empty if the peer dialed or was negotiated.
func (p *Peer) DialedURL() string { return p.dialed }

// Socket is the transport's connection. Reading from it, writing to it and
// setting its deadlines disturbs the exchange; it is there to be looked at.
func (p *Peer) Socket() net.Conn { return p.conn }

// RemoteAddress is the host that the other node was seen at, without port and
// with IPv4 addresses in their own form, or empty where the transport has none.
func (p *Peer) RemoteAddress() string {
	if !p.addr.IsValid() {
		return ""
	}
	return p.addr.String()
}

// Instance is what distinguishes the other node from every other one, or empty
// for npm nodes, which have no such thing.
func (p *Peer) Instance() string {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	return p.hello.instance
}

// Agent names the program that the other node runs, or is empty if it did not say.
func (p *Peer) Agent() string {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	return p.hello.agent
}

// Read reads application data. It returns io.EOF when the other node closed.
func (p *Peer) Read(b []byte) (int, error) { return p.stream.read(b) }

// Write sends application data. It blocks while the other node takes no more,
// and returns once the data was handed to the transport.
func (p *Peer) Write(b []byte) (int, error) { return p.stream.write(b) }

// LocalAddr is that of the transport's connection.
func (p *Peer) LocalAddr() net.Addr { return p.conn.LocalAddr() }

// RemoteAddr is that of the transport's connection.
func (p *Peer) RemoteAddr() net.Addr { return p.conn.RemoteAddr() }

// SetDeadline bounds Read and Write calls, those in progress too.
func (p *Peer) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

// SetReadDeadline bounds Read calls.
func (p *Peer) SetReadDeadline(t time.Time) error { return p.stream.setReadDeadline(t) }

// SetWriteDeadline bounds Write calls. One that was cut short tells how much was sent.
func (p *Peer) SetWriteDeadline(t time.Time) error { return p.stream.setWriteDeadline(t) }

func (p *Peer) logFields() []any {
	return []any{"peer", p.serial, "transport", p.transport, "protocol", p.protocol.String(), "remote_addr", p.RemoteAddress()}
}

// detect tells by the first bytes of a connection what is spoken on it, and
// returns those that belong to the multiplexed stream. A v1 stream starts with
// the magic; a v0 stream with a multiplex frame that opens a channel, whose
// first byte is never '#' (type 3).
func detect(conn net.Conn) (Protocol, []byte, error) {
	first := make([]byte, 512)
	n := 0
	for n == 0 || first[0] == magic[0] && n < len(magic) {
		m, err := conn.Read(first[n:])
		n += m
		if err != nil && n == 0 {
			return 0, nil, err
		}
		if err != nil && first[0] == magic[0] && n < len(magic) {
			return 0, nil, io.ErrUnexpectedEOF
		}
	}
	if first[0] != magic[0] {
		return V0, first[:n], nil
	}
	if string(first[:len(magic)]) != magic {
		return 0, nil, ErrProtocol
	}
	return V1, first[len(magic):n], nil
}

// magic is what a v1 stream starts with, in both directions (pxp, lib/peer.js).
const magic = wire.MagicV1
