package exchange

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// Exchange is one node of one network. Make it with [New] and end it with
// Drain, Shutdown or Close. Its methods may be called from any goroutine.
type Exchange struct {
	// Static after construction.
	id             string
	instance       string // 32 hex digits, new for each Exchange
	config         Config
	limits         Limits
	transports     map[string]transports.Transport
	transportNames []string    // as announced
	own            []io.Closer // the transports that the node closes; nil if it was given some
	features       []string    // as announced
	iceUsers       []transports.ICEUser
	logger         *slog.Logger
	lifetime       context.Context // ends with Close; for work that belongs to no call
	endLife        context.CancelFunc
	lookup         func(ctx context.Context, network, host string) ([]netip.Addr, error)
	running        sync.WaitGroup // every goroutine of the exchange, but for callbacks

	mesh         *mesh // nil for a node that is none of several seeds
	admission    admission
	negotiations admission
	dataEnds     admission
	held         admission // bytes that wait in signaling relays
	counters     counters
	events       events
	refusals     refusals
	relayTimes   relayTimes // of signaling
	dataTimes    relayTimes

	mu sync.Mutex
	// Guarded by mu.
	closed      bool
	draining    bool                  // no connections and introductions any more, see stopAccepting
	late        []*Peer               // who became ready since then, until Drain sees to it
	connections map[*Peer]struct{}    // from the first byte to the last
	peers       map[*Peer]struct{}    // ready and not ended
	kinds       map[PeerKind]int      // how many of them there are of each kind
	instances   map[string][]*Peer    // ready or about to be, by the instance they announced
	aliases     map[string]int        // how many of those without an instance are called so
	listeners   map[string]*accepting // by transport, from the moment that Accept was called
	announced   announcements         // what hello says that this node accepts
	candidates  directory
	verifier    verifier
	serving     map[net.Listener]struct{}
	subscribers map[chan struct{}]struct{}
}

// New makes a node of the network named networkID, 1 to 128 bytes. Nodes connect
// only to nodes of the same network. It opens no connection yet.
func New(networkID string, cfg Config) (*Exchange, error) {
	var own []transports.Transport
	if cfg.Transports == nil {
		own = transports.Trusting(cfg.TLS)
		cfg.Transports = own
	}
	cfg = cfg.withDefaults()
	if err := cfg.validate(networkID); err != nil {
		return nil, err
	}
	ex := &Exchange{
		id:           networkID,
		instance:     newID(),
		config:       cfg,
		limits:       cfg.Limits,
		features:     cfg.features(),
		iceUsers:     iceUsers(cfg.Transports),
		transports:   make(map[string]transports.Transport),
		logger:       cfg.Logger.With("network", networkID),
		mesh:         newMesh(cfg.Mesh),
		admission:    admission{name: "peers", total: cfg.Limits.Peers, perIP: cfg.Limits.PeersPerIP},
		negotiations: admission{name: "negotiations", total: cfg.Limits.Negotiations, perIP: cfg.Limits.NegotiationsPerIP},
		dataEnds:     admission{name: "relay-data-ends", total: cfg.Limits.RelayDataEnds, perIP: cfg.Limits.RelayDataEndsPerIP},
		held:         admission{name: "held-signal-bytes", total: cfg.Limits.HeldSignalBytes, perIP: cfg.Limits.HeldSignalBytesPerIP},
		lookup:       net.DefaultResolver.LookupNetIP,
		connections:  make(map[*Peer]struct{}),
		peers:        make(map[*Peer]struct{}),
		kinds:        make(map[PeerKind]int),
		instances:    make(map[string][]*Peer),
		aliases:      make(map[string]int),
		listeners:    make(map[string]*accepting),
		serving:      make(map[net.Listener]struct{}),
		subscribers:  make(map[chan struct{}]struct{}),
	}
	for _, t := range own {
		if c, ok := t.(io.Closer); ok {
			ex.own = append(ex.own, c)
		}
	}
	for _, t := range cfg.Transports {
		ex.transports[t.Name()] = t
		ex.transportNames = append(ex.transportNames, t.Name())
	}
	ex.lifetime, ex.endLife = context.WithCancel(context.Background())
	ex.events.init()
	ex.running.Go(ex.watch)
	if ex.mesh != nil {
		ex.candidates.changed = ex.mesh.change
		ex.running.Go(ex.tellSiblings)
	}
	return ex, nil
}

// newID returns 128 random bits as 32 hex digits.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// ID returns the network ID.
func (ex *Exchange) ID() string { return ex.id }

// Instance returns what distinguishes this node from every other one: 32 hex
// digits, made anew by New. Other nodes of this module are told of it.
func (ex *Exchange) Instance() string { return ex.instance }

// Peers returns the peers that are connected and ready, in no particular order.
func (ex *Exchange) Peers() []*Peer {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	peers := make([]*Peer, 0, len(ex.peers))
	for p := range ex.peers {
		peers = append(peers, p)
	}
	return peers
}

// randomPeers returns the ready peers in random order, but for those that go
// away, who introduce nobody any more: they come last.
func (ex *Exchange) randomPeers() []*Peer {
	peers := ex.Peers()
	mathrand.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
	ex.mu.Lock()
	defer ex.mu.Unlock()
	stay := peers[:0:0]
	var leave []*Peer
	for _, p := range peers {
		if p.isGoingAwayLocked() {
			leave = append(leave, p)
		} else {
			stay = append(stay, p)
		}
	}
	return append(stay, leave...)
}

// Close disconnects every peer, closes every listener, and waits until nothing
// of the node is left running but a callback in progress. What was written to
// peers before is still sent, for at most two seconds, and over WebRTC for five
// more if the transports are the default ones. It always returns nil, and may be
// called again.
func (ex *Exchange) Close() error {
	ex.mu.Lock()
	ex.closed = true
	ex.verifier.stop()
	peers := slices.Collect(maps.Keys(ex.connections))
	open := slices.Collect(maps.Keys(ex.serving))
	ex.mu.Unlock()

	ex.endLife()
	for _, l := range open {
		l.Close()
	}
	for _, p := range peers {
		p.Close()
	}
	ex.events.close()
	ex.running.Wait()
	for _, t := range ex.own {
		t.Close()
	}
	return nil
}

// Shutdown stops accepting and introducing, waits until the introductions and the
// data that pass through the node have come to their end, which is when nothing was
// relayed for 3 s, and then closes. When ctx ends first it closes at once and returns the
// context's error. A node that is there for others has them leave before, see Drain.
func (ex *Exchange) Shutdown(ctx context.Context) error {
	err := ex.stopAccepting()
	if cut := ex.introductionsEnded(ctx); cut != nil {
		err = errors.Join(err, fmt.Errorf("wait for introductions to end: %w", cut))
	}
	ex.Close()
	return err
}

// signalingQuiet is after how long without signals an introduction is taken to
// be over: npm nodes never say so.
const signalingQuiet = 3 * time.Second

// introductionsEnded waits until no more signaling, nor data of peers that find no
// other way, passes through this node.
func (ex *Exchange) introductionsEnded(ctx context.Context) error {
	tick := time.NewTicker(signalingQuiet / 30)
	defer tick.Stop()
	busy := func() bool {
		then := time.Now().Add(-signalingQuiet)
		return ex.relayTimes.busySince(then) || ex.dataTimes.busySince(then)
	}
	for busy() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ex.lifetime.Done():
			return nil
		case <-tick.C:
		}
	}
	return nil
}

// start runs f in a goroutine that Close waits for, unless the node is closed.
func (ex *Exchange) start(f func()) error {
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.closed {
		return ErrClosed
	}
	ex.running.Go(f)
	return nil
}

// report hands an error to the application that no call returns.
func (ex *Exchange) report(err error) {
	if ex.config.OnError != nil {
		ex.events.post(func() { ex.config.OnError(err) })
	}
}
