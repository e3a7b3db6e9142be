package seed

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// TestShutdownInOrder ends a seed with a peer, a request and a silent connection.
func TestShutdownInOrder(t *testing.T) {
	ctx := testContext(t)
	s := startSeed(t, testConfig(t))
	node := newNode(t, exchange.V0)
	peer, err := node.Connect(ctx, transports.WebSocket, "127.0.0.1", transports.Options{Port: s.plain})
	if err != nil {
		t.Fatal(err)
	}
	silent := dialPlain(t, s)
	idle := dialPlain(t, s)
	if _, err := io.WriteString(idle, "GET / HTTP/1.1\r\nHost: seed\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(idle), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()

	s.end()
	if err := <-s.ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	s.ended <- nil
	select {
	case <-peer.Done():
	case <-ctx.Done():
		t.Error("the peer was not disconnected")
	}
	if err := peer.Err(); err != io.EOF {
		t.Errorf("the peer was told %v, want a goodbye", err)
	}
	if n, err := silent.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes from a connection that should be closed", n)
	}
	for _, p := range s.ports {
		if c, err := net.Dial("tcp", p.listener.Addr().String()); err == nil {
			c.Close()
			t.Errorf("%v still takes connections", p.listener.Addr())
		}
	}
	if n := s.entrance.pending.len(); n != 0 {
		t.Errorf("%d connections are pending", n)
	}
	s.Close() // again
}

func dialPlain(t *testing.T, s *testSeed) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.ports[len(s.ports)-1].listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// endless is a transport named webrtc whose negotiations go on until the test
// ends them.
type endless struct{ began chan struct{} }

func (endless) Name() string { return transports.WebRTC }

func (e endless) Negotiate(ctx context.Context, role transports.Role, signals transports.Signaling) (net.Conn, error) {
	if role == transports.Initiator {
		e.began <- struct{}{}
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// startIntroduction has two nodes negotiate through the seed, until the asker's
// connection to the seed is closed. It returns the connections of both to the seed.
func startIntroduction(ctx context.Context, t *testing.T, s *testSeed) (candidate, asker *exchange.Peer) {
	t.Helper()
	e := endless{began: make(chan struct{}, 1)}
	var peers []*exchange.Peer
	for range 2 {
		ex, err := exchange.New(t.Name(), exchange.Config{
			Transports: []transports.Transport{websocket.New(websocket.Config{}), e},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ex.Close() })
		if len(peers) == 0 {
			if err := ex.Accept(ctx, transports.WebRTC, transports.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		p, err := ex.Connect(ctx, transports.WebSocket, "127.0.0.1", transports.Options{Port: s.plain})
		if err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	s.await(ctx, t, 2)
	asking, giveUp := context.WithCancel(ctx)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		peers[1].GetNewPeer(asking)
	}()
	t.Cleanup(func() { giveUp(); <-answered })
	select {
	case <-e.began:
	case <-answered:
		t.Fatal("no introduction began")
	case <-ctx.Done():
		t.Fatal("no introduction began in time")
	}
	return peers[0], peers[1]
}

// awaitRefusal waits until a seed that is told to end takes no more connections.
func (s *testSeed) awaitRefusal(ctx context.Context, t *testing.T) {
	t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		c, err := net.Dial("tcp", s.ports[len(s.ports)-1].listener.Addr().String())
		if err != nil {
			return
		}
		c.Close()
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal("the seed still takes connections")
		}
	}
}

func TestShutdownLetsIntroductionsEnd(t *testing.T) {
	ctx := testContext(t)
	cfg := testConfig(t)
	cfg.DrainTimeout = stepTime
	s := startSeed(t, cfg)
	_, asker := startIntroduction(ctx, t, s)
	s.end()
	s.awaitRefusal(ctx, t)
	select {
	case <-asker.Done():
		t.Error("a peer was disconnected in the middle of an introduction")
	case err := <-s.ended:
		t.Errorf("Run returned %v in the middle of an introduction", err)
		s.ended <- nil
		return
	default:
	}
	asker.Close()
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		s.ended <- nil
	case <-ctx.Done():
		t.Error("the seed goes on although no introduction is in progress")
	}
}

func TestShutdownIsBounded(t *testing.T) {
	ctx := testContext(t)
	cfg := testConfig(t)
	cfg.DrainTimeout = 50 * time.Millisecond
	s := startSeed(t, cfg)
	_, asker := startIntroduction(ctx, t, s)
	s.end()
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		s.ended <- nil
	case <-ctx.Done():
		t.Fatal("the seed waits for ever")
	}
	select {
	case <-asker.Done():
	case <-ctx.Done():
		t.Error("the peer was not disconnected")
	}
}
