package seed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
)

// awaitChecks waits until n checks of candidates have come out like this.
func (s *testSeed) awaitChecks(ctx context.Context, t *testing.T, result exchange.CheckResult, n uint64) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for s.Stats().Checks[result] < n {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("checks of candidates came out as %v, want %d times %s", s.Stats().Checks, n, result)
		}
	}
}

// TestCandidatesAreDialedBack has the seed find candidates on every kind of
// listener that they can have.
func TestCandidatesAreDialedBack(t *testing.T) {
	pem, err := selfSigned([]string{"node.invalid"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(pem, pem)
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"ws", "wss", "tcp", "tls"} {
		t.Run(scheme, func(t *testing.T) {
			ctx := testContext(t)
			s := startSeed(t, testConfig(t))
			candidate := newNode(t, exchange.V0)
			opts := transports.Options{Host: "127.0.0.1"}
			if strings.HasSuffix(scheme, "s") && scheme != "ws" {
				opts.Secure, opts.TLS = true, &tls.Config{Certificates: []tls.Certificate{pair}}
			}
			transport := transports.TCP
			if strings.HasPrefix(scheme, "ws") {
				transport = transports.WebSocket
			}
			if err := candidate.Accept(ctx, transport, opts); err != nil {
				t.Fatal(err)
			}
			if _, err := candidate.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: s.plain}); err != nil {
				t.Fatal(err)
			}
			s.awaitChecks(ctx, t, exchange.CheckPassed, 1)
			if n := len(candidate.Peers()); n != 1 {
				t.Errorf("the candidate has %d peers, want the seed", n)
			}
		})
	}
}

// TestUnreachableCandidateIsNotOffered has a node accept where it is not seen, as
// one behind a NAT does.
func TestUnreachableCandidateIsNotOffered(t *testing.T) {
	for _, verify := range []bool{true, false} {
		t.Run(fmt.Sprint("verify-candidates=", verify), func(t *testing.T) {
			ctx := testContext(t)
			cfg := testConfig(t)
			cfg.TrustedProxies = []string{"127.0.0.1"}
			cfg.VerifyCandidates = verify
			s := startSeed(t, cfg)
			candidate, asker := newNode(t, exchange.V0), newNode(t, exchange.V0)
			if err := candidate.Accept(ctx, transports.TCP, transports.Options{Host: "127.0.0.1"}); err != nil {
				t.Fatal(err)
			}
			if _, err := candidate.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: forward(t, s.plain, v1Header("127.0.0.79"))}); err != nil {
				t.Fatal(err)
			}
			s.await(ctx, t, 1)
			if verify {
				s.awaitChecks(ctx, t, exchange.CheckUnreachable, 1)
			}
			if _, err := asker.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: s.plain}); err != nil {
				t.Fatal(err)
			}
			s.await(ctx, t, 2)
			_, err := asker.GetNewPeer(ctx)
			if offered := !errors.Is(err, exchange.ErrNoCandidates); offered == verify {
				t.Errorf("offered: %v; the asker got %v", offered, err)
			}
			values := gather(t, s)
			if got := values["seed_candidate_checks_total unreachable"]; (got > 0) != verify {
				t.Errorf("%v checks failed", got)
			}
			if got := values["seed_candidate_checks_waiting"]; (got > 0) != verify {
				t.Errorf("%v checks wait", got)
			}
		})
	}
}

// TestPublicNamesAreVerified has a node announce a name. This machine's resolver
// knows it, and its certificate is one that nobody trusts.
func TestPublicNamesAreVerified(t *testing.T) {
	for host, want := range map[string]exchange.CheckResult{
		"localhost":         exchange.CheckCertificate,
		"elsewhere.invalid": exchange.CheckName,
	} {
		t.Run(host, func(t *testing.T) {
			ctx := testContext(t)
			pem, err := selfSigned([]string{host}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			pair, err := tls.X509KeyPair(pem, pem)
			if err != nil {
				t.Fatal(err)
			}
			s := startSeed(t, testConfig(t))
			ways := tcp.New(tcp.Config{})
			l, err := ways.Listen(ctx, transports.Options{
				Host: "127.0.0.1", Secure: true, TLS: &tls.Config{Certificates: []tls.Certificate{pair}},
			})
			if err != nil {
				t.Fatal(err)
			}
			candidate, err := exchange.New(t.Name(), exchange.Config{
				Transports: []transports.Transport{ways},
				Addresses:  []string{fmt.Sprintf("tls://%s:%d", host, l.Addr().(*net.TCPAddr).Port)},
			})
			if err != nil {
				t.Fatal(err)
			}
			var serving sync.WaitGroup
			serving.Go(func() { candidate.Serve(l, transports.TCP) })
			t.Cleanup(func() {
				candidate.Close()
				serving.Wait()
			})
			if _, err := candidate.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: s.plain}); err != nil {
				t.Fatal(err)
			}
			s.awaitChecks(ctx, t, want, 1)
		})
	}
}
