package exchange

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

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
	relayed    bool         // addr is that of a relay, or there is none
	serial     uint64       // tells peers apart without holding them
	addr       netip.Addr   // where the other node was seen, un-mapped; may be zero
	owner      netip.Prefix // whose share of the limits per address it has, see ownerOf
	dialed     string       // see DialedURL
	chosen     bool         // this node dialed it because the application named it, not another node
	introduced string       // what it is called by the one who introduced it; empty if nobody has, or it has an instance
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
	rival    *Peer         // the next older connection to the same instance, while that stands
	checks   *rate.Limiter // of its candidates; lazily
	offered  *offers       // lazily
	alias    string        // what this node calls it to others; empty if it has an instance, or nobody was told of it yet
	farewell *farewell     // lazily

	mu sync.Mutex
	// Guarded by mu.
	err      error                // why the peer ended
	attached map[closer]struct{}  // relays and negotiations that end with the peer
	shares   map[netip.Prefix]int // relays that it is the candidate of, by the address of who asked; lazily
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
		owner:     ownerOf(conn),
		ready:     make(chan struct{}),
		done:      make(chan struct{}),
		lines:     wire.Lines{Max: ex.limits.lineBytes()},
	}
	p.session = mux.New(conn, mux.Config{
		MaxNameBytes:  ex.limits.ChannelNameBytes,
		MaxChannels:   ex.limits.ChannelsPerPeer,
		MaxQueueBytes: ex.limits.OutboundQueueBytes,
	})
	p.relayed = p.Path() != PathDirect
	buffer := ex.limits.ReceiveBufferBytes
	if transport == Relay {
		buffer = p.window()
	}
	p.stream = newStream(buffer, ex.config.DiscardData, p.grant)
	return p
}

var serials atomic.Uint64

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
