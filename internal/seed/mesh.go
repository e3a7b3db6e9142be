package seed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/peerexchange/peerexchange/internal/turn"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// How a seed looks after the links to its siblings.
const (
	// meshInterval is how often the names of siblings are looked up.
	meshInterval = 10 * time.Second
	// meshDialTime bounds one attempt to link.
	meshDialTime = 10 * time.Second
	// Between attempts at one address.
	minMeshBackoff = 500 * time.Millisecond
	maxMeshBackoff = 20 * time.Second
	// steadyLink is how long a link lasts that is no reason to wait before the next.
	steadyLink = 10 * time.Second
	// selfPause is how long an address is left alone that leads to this seed.
	selfPause = time.Minute
)

// mesh keeps links to the other seeds of the network. Each seed dials all that it
// knows of, and the exchange sees to it that one link of a pair stays.
type mesh struct {
	// Static after construction.
	exchange *exchange.Exchange // set before run
	secrets  *secretFile
	siblings meshNames
	logger   *slog.Logger

	expected atomic.Pointer[map[netip.Addr]bool] // where siblings are
	relays   atomic.Pointer[meshRelays]

	keepers sync.WaitGroup
}

// meshRelays are where siblings have relayed addresses, and what they are made of.
type meshRelays struct {
	of     []exchange.Sibling
	relays []turn.Relay
}

// loadMesh is nil for a seed that has no siblings.
func (s *Seed) loadMesh() (err error) {
	if s.config.MeshSecretFile == "" {
		return nil
	}
	m := &mesh{secrets: new(secretFile), logger: s.logger}
	m.secrets.files, err = newWatch("mesh secrets", []string{s.config.MeshSecretFile}, m.secrets.replace, s.logger)
	if err != nil {
		return fmt.Errorf("read the mesh secrets of %s (--mesh-secret-file): %w", s.config.MeshSecretFile, err)
	}
	if m.siblings, err = s.config.meshNames(s.ports[0]); err != nil {
		return err
	}
	m.expected.Store(new(map[netip.Addr]bool))
	m.relays.Store(new(meshRelays))
	s.mesh = m
	return nil
}

// config is the exchange's part; nil without a mesh.
func (m *mesh) config() *exchange.MeshConfig {
	if m == nil {
		return nil
	}
	return &exchange.MeshConfig{
		Secrets: m.secrets.all,
		Expects: func(ip netip.Addr) bool { return (*m.expected.Load())[ip] },
	}
}

// tellSiblings has the siblings know where clients reach this seed, and where it
// relays.
func (s *Seed) tellSiblings() {
	if s.mesh == nil {
		return
	}
	info := exchange.SiblingInfo{Name: s.config.SeedName, Addresses: s.advertised()}
	if s.turn != nil {
		info.Relays = []string{fmt.Sprintf("%v:%s", s.turn.relay.Announce, s.config.TURNRelayPorts)}
	}
	s.exchange.TellSiblings(info)
}

// turnRelays are the siblings' relayed addresses, which TURN clients may have for
// peers. It is called for each peer.
func (m *mesh) turnRelays() []turn.Relay {
	siblings := m.exchange.Siblings()
	cached := m.relays.Load()
	if len(siblings) == 0 {
		return nil
	}
	if len(cached.of) == len(siblings) && &cached.of[0] == &siblings[0] {
		return cached.relays
	}
	fresh := &meshRelays{of: siblings}
	for _, sibling := range siblings {
		for _, text := range sibling.Relays {
			if relay, ok := siblingRelay(sibling, text); ok {
				fresh.relays = append(fresh.relays, relay)
			}
		}
	}
	m.relays.Store(fresh)
	return fresh.relays
}

// siblingRelay reads where a sibling has relayed addresses. Its loopback is not
// this machine's, unless it is on it.
func siblingRelay(sibling exchange.Sibling, text string) (turn.Relay, bool) {
	host, ports, err := net.SplitHostPort(text)
	if err != nil {
		return turn.Relay{}, false
	}
	ip, err := parseRelayIP(host)
	if err != nil {
		return turn.Relay{}, false
	}
	portRange, err := parsePorts(ports)
	if err != nil || portRange == (turn.PortRange{}) {
		return turn.Relay{}, false
	}
	if seen, err := netip.ParseAddr(sibling.RemoteAddress); ip.IsLoopback() && (err != nil || !seen.IsLoopback()) {
		return turn.Relay{}, false
	}
	return turn.Relay{Addr: ip, Ports: portRange}, true
}

// run keeps links until done is closed. It leaves those that stand.
func (m *mesh) run(done <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer m.keepers.Wait()
	defer cancel()
	m.keepers.Go(func() {
		<-done
		cancel()
	})
	keeping := make(map[string]context.CancelFunc)
	complaint := ""
	for {
		targets, ips, err := m.siblings.look(ctx)
		if ctx.Err() != nil {
			return
		}
		m.expect(ips, err)
		if err == nil {
			complaint = ""
		} else if err.Error() != complaint {
			complaint = err.Error()
			m.logger.Warn("siblings were not looked up; their addresses stay as they were", "err", err)
		}
		for target := range targets {
			if keeping[target] == nil {
				one, stop := context.WithCancel(ctx)
				keeping[target] = stop
				m.keepers.Go(func() { m.keep(one, target) })
			}
		}
		for target, stop := range keeping {
			if !targets[target] && err == nil {
				stop()
				delete(keeping, target)
			}
		}
		if !wait(ctx, meshInterval) {
			return
		}
	}
}

// expect takes over where siblings are. Those that were not looked up are where they
// were: links come in beyond the limits only from there, and a flood of strangers may be
// why no answer came.
func (m *mesh) expect(ips map[netip.Addr]bool, err error) {
	if err != nil {
		maps.Copy(ips, *m.expected.Load())
	}
	m.expected.Store(&ips)
}

// keep holds a link with the seed at one address. If the seed has dialed this one
// instead, that link is the one.
func (m *mesh) keep(ctx context.Context, target string) {
	retry := &backoff.ExponentialBackOff{
		InitialInterval: minMeshBackoff, MaxInterval: maxMeshBackoff, Multiplier: 2, RandomizationFactor: 0.5,
	}
	complaint := ""
	for ctx.Err() == nil {
		pause := time.Duration(0)
		link, err := m.link(ctx, target)
		switch {
		case err == nil:
			complaint = ""
			began := time.Now()
			select {
			case <-link.Done():
			case <-ctx.Done():
			}
			if time.Since(began) >= steadyLink {
				retry.Reset()
			}
		case errors.Is(err, exchange.ErrClosed):
			return
		case errors.Is(err, exchange.ErrSelf):
			pause = selfPause // a name that all seeds share has this one's address too
		case ctx.Err() == nil && err.Error() != complaint:
			complaint = err.Error()
			m.logger.Warn("no link with a sibling; trying again", "sibling", target, "err", err)
		}
		wait(ctx, max(pause, retry.NextBackOff()))
	}
}

func (m *mesh) link(ctx context.Context, target string) (*exchange.Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, meshDialTime)
	defer cancel()
	return m.exchange.ConnectSibling(ctx, target)
}

// wait tells whether ctx still goes on after a while.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
