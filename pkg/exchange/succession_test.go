package exchange

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// neverAlone has the test fail if ever the node is without a seed, from the first one on until the end of what the test does.
func (n *node) neverAlone() (enough func()) {
	over := make(chan struct{})
	go func() {
		changed, unsubscribe := n.subscribe()
		defer unsubscribe()
		seen := false
		for {
			select {
			case <-changed:
			case <-over:
				return
			}
			seeds := 0
			for _, p := range n.Peers() {
				if strings.HasPrefix(p.DialedURL(), "tcp://10.0.0.") {
					seeds++
				}
			}
			if seen && seeds == 0 {
				n.t.Errorf("%s is alone at %v", n.host, time.Now())
			}
			seen = seen || seeds > 0
		}
	}()
	return func() { close(over); synctest.Wait() }
}

// dialedURLs are the addresses of the peers that a node has dialed.
func (n *node) dialedURLs() (urls []string) {
	synctest.Wait()
	for _, p := range n.Peers() {
		if p.DialedURL() != "" {
			urls = append(urls, p.DialedURL())
		}
	}
	return urls
}

// Every seed of three is drained and started anew, one after the other, and each
// client has one at every moment.
func TestRollingRestart(t *testing.T) {
	for name, named := range map[string]bool{"to named seeds": true, "to configured ones": false} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var seeds []*node
				var urls []string
				for i := range 3 {
					seeds = append(seeds, w.seed(fmt.Sprintf("10.0.0.%d", i+1)))
					urls = append(urls, fmt.Sprintf("tcp://10.0.0.%d:1000", i+1))
				}
				var clients []*node
				for i := range 6 {
					n := w.node(fmt.Sprintf("10.1.%d.1", i))
					n.accept(transports.WebRTC, 0)
					defer n.neverAlone()()
					known := urls
					if named {
						known = urls[:1] // the others are heard of
					}
					n.maintain(MaintainerConfig{Seeds: known, SeedConnections: 1, Peers: 3})
					clients = append(clients, n)
				}
				time.Sleep(time.Minute)
				friend := w.node("10.2.0.1")
				clients[0].accept(transports.TCP, 1000)
				a := friend.connect(clients[0])
				b := clients[0].connectedTo(friend)
				for round := range 6 {
					i := round % 3
					var elsewhere []string
					if named {
						elsewhere = append(elsewhere, urls[(i+1)%3], urls[(i+2)%3])
					}
					if err := <-seeds[i].drain(30*time.Second, elsewhere...); err != nil {
						t.Errorf("Drain: %v", err)
					}
					time.Sleep(time.Second)
					seeds[i] = w.seed(seeds[i].host)
					time.Sleep(time.Minute)
					talk(t, a, b)
				}
			})
		})
	}
}

// connectedTo is the peer that is another node.
func (n *node) connectedTo(other *node) *Peer {
	n.t.Helper()
	synctest.Wait()
	for _, p := range n.Peers() {
		if p.Instance() == other.Instance() {
			return p
		}
	}
	n.t.Fatalf("%s is not connected to %s", n.host, other.host)
	return nil
}

// Where a seed that goes away sends its clients nobody is, and then somebody.
func TestSuccessorIsTriedAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		n := w.node("10.0.0.9")
		defer n.neverAlone()()
		n.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: -1})
		n.next()
		drained := seed.drain(30*time.Second, "tcp://10.0.0.2:1000")
		time.Sleep(5 * time.Second)
		if got := n.dialedURLs(); len(got) != 1 || got[0] != "tcp://10.0.0.1:1000" {
			t.Errorf("connected to %v", got)
		}
		w.seed("10.0.0.2")
		if err := <-drained; err != nil {
			t.Errorf("Drain: %v", err)
		}
		if got := n.dialedURLs(); len(got) != 1 || got[0] != "tcp://10.0.0.2:1000" {
			t.Errorf("connected to %v", got)
		}
	})
}

// Several seeds share one address, at a load balancer. Who is sent there, or knows
// of nothing else, comes to another one than that which goes away.
func TestSuccessorAtTheSameAddress(t *testing.T) {
	for name, elsewhere := range map[string][]string{"named": {"tcp://10.0.0.1:1000", "tcp://10.0.0.1:1000"}, "not named": nil} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seed := w.seed("10.0.0.1")
				n := w.node("10.0.0.9")
				defer n.neverAlone()()
				m := n.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: -1})
				old := n.next()
				drained := seed.drain(30*time.Second, elsewhere...)
				w.seed("10.0.0.1") // the port is free once the other one drains
				if err := <-drained; err != nil {
					t.Errorf("Drain: %v", err)
				}
				if now := n.next(); !old.isClosed() || now.isClosed() || len(n.dialedURLs()) != 1 {
					t.Errorf("connected to %v", n.dialedURLs())
				}
				m.mu.Lock()
				defer m.mu.Unlock()
				if len(m.seeds) != 1 || m.used["tcp://10.0.0.1:1000"] != 1 {
					t.Errorf("seeds %v, in use %v", m.seeds, m.used)
				}
			})
		})
	}
}

// A seed that goes away is left once the introduction is over that passes through
// it.
func TestSuccessionLetsIntroductionsEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		w.seed("10.0.0.2")
		n := w.node("10.0.0.9")
		n.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: -1})
		old := n.next()
		theirs := seed.next()
		signals, err := newSignals(old, "x", 0)
		if err != nil {
			t.Fatal(err)
		}
		seed.drain(time.Hour, "tcp://10.0.0.2:1000")
		if now := n.next(); now.DialedURL() != "tcp://10.0.0.2:1000" {
			t.Fatalf("connected to %s", now.DialedURL())
		}
		time.Sleep(time.Minute)
		if old.isClosed() {
			t.Error("left in the middle of an introduction")
		}
		signals.close()
		time.Sleep(reprieve)
		synctest.Wait()
		if !old.isClosed() || !errors.Is(old.Err(), ErrClosed) && old.Err() == nil || theirs.Err() == nil {
			t.Errorf("not left: %v", old.Err())
		}
	})
}

// What the application has connected stays connected for as long as the seed
// wants, and is no seed any more.
func TestSuccessionLeavesTheApplicationsOwn(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		w.seed("10.0.0.2")
		n := w.node("10.0.0.9")
		own := n.connect(seed)
		m := n.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: -1})
		synctest.Wait()
		drained := seed.drain(30*time.Second, "tcp://10.0.0.2:1000")
		time.Sleep(10 * time.Second)
		if own.isClosed() || len(n.dialedURLs()) != 2 {
			t.Errorf("connected to %v", n.dialedURLs())
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
		<-own.Done()
		synctest.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.seeds) != 1 || len(m.used) != 1 {
			t.Errorf("seeds %v, in use %v", m.seeds, m.used)
		}
	})
}

// A peer that goes away is replaced before it has gone.
func TestMaintainerReplacesWhoGoesAway(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.seed("10.0.0.1")
		var friends []*node
		for i := range 2 {
			f := w.node(fmt.Sprintf("10.1.%d.1", i))
			f.accept(transports.WebRTC, 0)
			f.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: -1})
			friends = append(friends, f)
		}
		n := w.node("10.0.0.9")
		n.maintain(MaintainerConfig{Seeds: []string{"tcp://10.0.0.1:1000"}, Peers: 1})
		time.Sleep(time.Minute)
		leaving, other := friends[0], friends[1]
		if !n.knowsNode(leaving) {
			leaving, other = other, leaving
		}
		drained := leaving.drain(time.Minute)
		time.Sleep(10 * time.Second)
		if !n.knowsNode(leaving) || !n.knowsNode(other) {
			t.Error("not replaced")
		}
		leaving.Close()
		<-drained
	})
}

func (n *node) knowsNode(other *node) bool {
	for _, p := range n.Peers() {
		if p.Instance() == other.Instance() {
			return true
		}
	}
	return false
}

// Where members only are taken, a seed that a seed has named is shown what that
// one was shown.
func TestSuccessorIsShownTheToken(t *testing.T) {
	const token = "token-of-the-tests"
	for name, cfg := range map[string]MaintainerConfig{
		"in the address": {Seeds: []string{"tcp://10.0.0.1:1000?token=" + token}},
		"made anew":      {Seeds: []string{"tcp://10.0.0.1:1000"}, Token: func(context.Context) (string, error) { return token, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				club := newClub(token)
				var seeds []*node
				for i := range 3 {
					seeds = append(seeds, w.seed(fmt.Sprintf("10.0.0.%d", i+1), club.members))
				}
				n := w.node("10.0.0.9")
				defer n.neverAlone()()
				cfg.Peers = -1
				n.maintain(cfg)
				n.next()
				for i, next := range []string{"tcp://10.0.0.2:1000", "tcp://10.0.0.3:1000"} {
					if err := <-seeds[i].drain(30*time.Second, next, "tcp://10.0.0.9:1?token=x"); err != nil {
						t.Errorf("Drain: %v", err)
					}
					if got := n.dialedURLs(); len(got) != 1 || got[0] != next {
						t.Fatalf("connected to %v", got)
					}
				}
			})
		})
	}
}
