package webrtc

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/datachannel"
	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// dataChannel is what a connection needs of pion's detached data channel.
type dataChannel interface {
	io.ReadWriteCloser
	SetReadDeadline(t time.Time) error
	BufferedAmount() uint64
	SetBufferedAmountLowThreshold(bytes uint64)
	OnBufferedAmountLow(f func())
}

var _ dataChannel = (*datachannel.DataChannel)(nil)

// Conn is a data channel as a net.Conn: an ordered, reliable byte stream. The
// boundaries of messages are not kept. Concurrent Reads and concurrent Writes
// take turns.
//
// The stream has no half-close: when the other node closes its end, Read
// returns what had arrived and then io.EOF, and Write fails.
type Conn struct {
	// Static after construction.
	transport *Transport
	failed    chan struct{} // closed by fail
	closing   chan struct{} // closed by Close
	writable  chan struct{} // says that the send buffer may have got room

	pc *pion.PeerConnection // nil before there is an offer, static from then on

	// Static after open.
	channel       dataChannel
	local, remote net.Addr
	relayed       bool            // when it was opened
	relays        map[string]bool // see negotiation
	maxMessage    int

	readDeadline  deadline
	writeDeadline deadline

	reading chan struct{} // holds a value while a Read, or the goodbye, is in progress
	rest    *leftover     // owned by who put it there
	writeMu sync.Mutex    // held by a Write

	mu sync.Mutex
	// Guarded by mu.
	opened bool
	closed bool
	err    error // why the connection is over, nil while it is not
}

func newConn(t *Transport) *Conn {
	return &Conn{
		transport: t,
		failed:    make(chan struct{}),
		closing:   make(chan struct{}),
		writable:  make(chan struct{}, 1),
		reading:   make(chan struct{}, 1),
	}
}

// open completes a connection whose channel is open. It fails if the connection
// is over already.
func (c *Conn) open(channel dataChannel, local, remote net.Addr, remoteMax int) error {
	c.channel = channel
	c.local, c.remote = local, remote
	c.maxMessage = min(c.transport.cfg.MaxMessageSent, remoteMax)

	channel.SetBufferedAmountLowThreshold(uint64(c.transport.cfg.SendBufferLow))
	// Called with the association's lock held: it must not call back into pion.
	channel.OnBufferedAmountLow(func() {
		select {
		case c.writable <- struct{}{}:
		default:
		}
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	c.opened = true
	return nil
}

// fail records why the connection is over and unblocks Write, and Read as soon
// as it has returned what had arrived. The first reason stays. It is called by
// pion's callbacks and so closes nothing: the owner's Close does.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	close(c.failed)
	opened := c.opened
	c.mu.Unlock()
	if opened {
		c.interruptRead()
	}
}

// end returns why the connection is over, nil while it is not.
func (c *Conn) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// LocalAddr returns the address of the local ICE candidate in use when the
// connection was opened; for a path through TURN that is the server's.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other node's ICE candidate in use when
// the connection was opened; if it uses TURN that is the server's.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Relayed tells whether the path in use now goes through a TURN server, as far
// as this node knows, instead of directly to the other node. ICE may find a
// better one while the connection stands; after its end the first one counts.
func (c *Conn) Relayed() bool {
	pair, err := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return c.relayed
	}
	return isRelayed(pair, c.relays)
}

// isRelayed tells whether either end of a path is at a TURN server. pion knows
// the other node's as peer-reflexive if its packets come before its candidate.
func isRelayed(pair *pion.ICECandidatePair, relays map[string]bool) bool {
	return pair.Local.Typ == pion.ICECandidateTypeRelay ||
		pair.Remote.Typ == pion.ICECandidateTypeRelay ||
		relays[fmt.Sprintf("%s %d", pair.Remote.Address, pair.Remote.Port)]
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// pathAddr is the address of a candidate.
func pathAddr(c *pion.ICECandidate) net.Addr {
	addr, err := netip.ParseAddr(c.Address)
	if err != nil {
		return &net.UDPAddr{Port: int(c.Port)}
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr.Unmap(), c.Port))
}

var (
	_ net.Conn          = (*Conn)(nil)
	_ transport.Relayer = (*Conn)(nil)
)
