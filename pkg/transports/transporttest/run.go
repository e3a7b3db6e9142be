package transporttest

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/net/nettest"
)

// Run checks a transport. It calls subject for each of its subtests, with the
// subtest's t, so that one cannot disturb another; what subject opens it closes
// with t.Cleanup. The subtests also fail if they leave a goroutine behind, so
// Run must not be called while other tests run in parallel.
//
// It takes some seconds, because golang.org/x/net/nettest waits for deadlines.
// What it checks of connections that Subject.DeadlinesAreFinal keeps from it,
// other checks do.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	s := subject(t).withDefaults(t)
	runSuite(t, "Name", nameChecks, subject)
	if s.Dialer != nil {
		runSuite(t, "Dial", dialChecks, subject)
		t.Run("DialedConn", func(t *testing.T) { runConn(t, subject, dialPair) })
	}
	if s.Initiator != nil {
		runSuite(t, "Negotiate", negotiateChecks, subject)
		t.Run("NegotiatedConn", func(t *testing.T) { runConn(t, subject, negotiatePair) })
	}
}

// check is one property.
type check[A any] struct {
	name string
	run  func(t *testing.T, arg A)
}

func runSuite(t *testing.T, name string, checks []check[Subject], subject func(t *testing.T) Subject) {
	t.Run(name, func(t *testing.T) {
		for _, check := range checks {
			t.Run(check.name, func(t *testing.T) {
				leaveNoGoroutine(t)
				check.run(t, subject(t).withDefaults(t))
			})
		}
	})
}

// pairFunc makes the two ends of a connection.
type pairFunc func(ctx context.Context, t *testing.T, s Subject) (a, b net.Conn)

func dialPair(ctx context.Context, t *testing.T, s Subject) (a, b net.Conn) {
	return s.dial(ctx, t, s.listen(t))
}

func negotiatePair(ctx context.Context, t *testing.T, s Subject) (a, b net.Conn) {
	return s.negotiate(ctx, t)
}

// runConn checks connections, however they are made. What holds for one end
// must hold for the other.
func runConn(t *testing.T, subject func(t *testing.T) Subject, pair pairFunc) {
	swapped := func(ctx context.Context, t *testing.T, s Subject) (a, b net.Conn) {
		b, a = pair(ctx, t, s)
		return a, b
	}
	final := subject(t).DeadlinesAreFinal
	checks := slices.Concat(connChecks, goOnChecks)
	if final {
		checks = connChecks
	}
	for _, side := range []struct {
		name string
		pair pairFunc
	}{{"Active", pair}, {"Passive", swapped}} {
		t.Run(side.name, func(t *testing.T) {
			for _, check := range checks {
				t.Run(check.name, func(t *testing.T) {
					leaveNoGoroutine(t)
					s := subject(t).withDefaults(t)
					a, b := side.pair(t.Context(), t, s)
					t.Cleanup(func() { a.Close(); b.Close() })
					check.run(t, ends{a, b})
				})
			}
			if final {
				return
			}
			t.Run("NetTest", func(t *testing.T) {
				leaveNoGoroutine(t)
				s := subject(t).withDefaults(t)
				nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
					a, b = side.pair(t.Context(), t, s)
					return a, b, func() { a.Close(); b.Close() }, nil
				})
			})
		})
	}
}

// leaveNoGoroutine fails the test if there are more goroutines at its end than
// now.
func leaveNoGoroutine(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

var nameChecks = []check[Subject]{
	{"IsLowerCase", func(t *testing.T, s Subject) {
		for _, name := range s.names() {
			if name == "" || strings.ToLower(name) != name {
				t.Errorf("Name is %q, want lower case", name)
			}
		}
	}},
	{"IsOne", func(t *testing.T, s Subject) {
		names := s.names()
		for _, name := range names {
			if name != names[0] {
				t.Errorf("names are %q, want the same for both sides", names)
			}
		}
	}},
}

func (s Subject) names() []string {
	var names []string
	if s.Dialer != nil {
		names = append(names, s.Dialer.Name(), s.Listener.Name())
	}
	if s.Initiator != nil {
		names = append(names, s.Initiator.Name(), s.Responder.Name())
	}
	return names
}
