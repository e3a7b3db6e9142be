package exchange

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// mesh is what a node knows of the seeds that it is linked with.
type mesh struct {
	// Static after construction.
	config  *MeshConfig
	changed chan struct{} // has a value when the siblings may have to be told something

	published atomic.Pointer[[]Sibling]
	waiting   atomic.Int32 // connections beyond the limits that have not proved yet to be links

	telling sync.Mutex // held while siblings are sent a state, so that the last one is the latest; before Exchange.mu

	// Guarded by Exchange.mu.
	info     SiblingInfo // of this node
	draining bool
	links    map[*link]struct{} // proved, and ready or about to be
	offered  directory          // the siblings' own addresses, and ways to negotiate with them
	forwards map[string]*forward
}

func newMesh(config *MeshConfig) *mesh {
	if config == nil {
		return nil
	}
	m := &mesh{
		config:   config,
		changed:  make(chan struct{}, 1),
		links:    make(map[*link]struct{}),
		forwards: make(map[string]*forward),
	}
	m.published.Store(new([]Sibling))
	return m
}

// change has the siblings told soon. A nil mesh has none.
func (m *mesh) change() {
	if m == nil {
		return
	}
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// stateInterval is the least time between two states that siblings are sent.
const stateInterval = 250 * time.Millisecond

// tellSiblings tells them of every change, but for those that follow too fast.
func (ex *Exchange) tellSiblings() {
	peers, unsubscribe := ex.subscribe()
	defer unsubscribe()
	for {
		select {
		case <-ex.lifetime.Done():
			return
		case <-peers:
		case <-ex.mesh.changed:
		}
		ex.sendStates()
		if !pause(ex.lifetime, stateInterval) {
			return
		}
	}
}

// sendStates sends the siblings what they do not know yet.
func (ex *Exchange) sendStates() {
	m := ex.mesh
	m.telling.Lock()
	defer m.telling.Unlock()
	ex.mu.Lock()
	state := &wire.MeshState{
		Name:      m.info.Name,
		Addresses: m.info.Addresses,
		Relays:    m.info.Relays,
		Peers:     len(ex.peers),
		Services:  ex.candidates.stock(maxAnnouncedTransports),
		Draining:  m.draining,
	}
	var news []*link
	for l := range m.links {
		if !l.p.readyAt.IsZero() {
			state.Peers--
		}
	}
	message := wire.AppendMesh(nil, &wire.Mesh{Op: wire.MeshIs, State: state})
	for l := range m.links {
		if !l.p.readyAt.IsZero() && l.told != string(message) {
			l.told = string(message)
			news = append(news, l)
		}
	}
	ex.mu.Unlock()
	for _, l := range news {
		l.p.control.Send(message)
	}
}

func (s service) String() string { return s.protocol.String() + "/" + s.transport }

// serviceOf reads what String writes.
func serviceOf(text string) (service, bool) {
	generation, transport, _ := strings.Cut(text, "/")
	for _, protocol := range []Protocol{V0, V1} {
		if generation == protocol.String() && transport != "" && len(transport) <= maxTransportNameBytes {
			return service{protocol, transport}, true
		}
	}
	return service{}, false
}

// publishSiblings makes what Siblings returns. The caller holds mu.
func (ex *Exchange) publishSiblings() {
	siblings := []Sibling{}
	for l := range ex.mesh.links {
		if l.p.readyAt.IsZero() {
			continue
		}
		siblings = append(siblings, Sibling{
			SiblingInfo:   l.info,
			Instance:      l.p.hello.instance,
			RemoteAddress: l.p.RemoteAddress(),
			Outgoing:      l.p.outgoing,
			Since:         l.p.readyAt,
			Peers:         l.peers,
			Draining:      l.draining,
		})
	}
	slices.SortFunc(siblings, func(a, b Sibling) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), a.Since.Compare(b.Since))
	})
	// While two links stand for a moment, the older one speaks for both.
	siblings = slices.CompactFunc(siblings, func(a, b Sibling) bool { return a.Instance == b.Instance })
	ex.mesh.published.Store(&siblings)
}
