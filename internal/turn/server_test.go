package turn

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/pion/stun"
	"github.com/pion/turn/v2"
)

// everyTransport runs a test for clients by each.
func everyTransport(t *testing.T, test func(t *testing.T, transport string)) {
	for _, transport := range Transports() {
		t.Run(transport, func(t *testing.T) { test(t, transport) })
	}
}

// TestPionClient has pion's client exchange data with a peer.
func TestPionClient(t *testing.T) {
	everyTransport(t, func(t *testing.T, transport string) {
		s := start(t, testConfig(t))
		peer := net.UDPAddrFromAddrPort(echo(t))
		var conn net.PacketConn
		if transport == TransportUDP {
			udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer udp.Close()
			conn = udp
		} else {
			conn = turn.NewSTUNConn(connect(t, s, transport))
		}
		username, password, expires := s.Credentials("pion")
		if time.Until(expires) > DefaultCredentialTTL || time.Until(expires) < DefaultCredentialTTL-time.Minute {
			t.Errorf("credentials expire at %v", expires)
		}
		address := s.Addrs(transport)[0].String()
		c, err := turn.NewClient(&turn.ClientConfig{
			STUNServerAddr: address, TURNServerAddr: address, Conn: conn,
			Username: username, Password: password, Realm: DefaultRealm,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Listen(); err != nil {
			t.Fatal(err)
		}
		if mapped, err := c.SendBindingRequest(); err != nil || !mapped.(*net.UDPAddr).IP.Equal(net.IPv4(127, 0, 0, 1)) {
			t.Fatalf("binding request: %v, %v", mapped, err)
		}
		relayed, err := c.Allocate()
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2000)
		// The first goes by an indication, and later ones by a channel. None is shorter
		// than what pion's reader of streams can tell from one that is still to come.
		for i := range 50 {
			sent := bytes.Repeat([]byte{byte(i)}, 8+i*20)
			if _, err := relayed.WriteTo(sent, peer); err != nil {
				t.Fatal(err)
			}
			relayed.SetReadDeadline(time.Now().Add(patience))
			n, from, err := relayed.ReadFrom(buf)
			if err != nil || !bytes.Equal(buf[:n], sent) || from.String() != peer.String() {
				t.Fatalf("message %d: received %d bytes from %v: %v", i, n, from, err)
			}
		}
		// What is sent is counted after the system call, so that its answer may be here first.
		eventually(t, "all messages counted", func() bool {
			stats := s.Stats()
			return stats.Allocations[transport] == 1 && stats.Messages[ToPeer] == 50 && stats.Messages[ToClient] == 50 &&
				stats.Bytes[ToPeer] == stats.Bytes[ToClient] && stats.Bytes[ToPeer] == 8*50+20*49*50/2
		})
		if err := relayed.Close(); err != nil {
			t.Error(err)
		}
		eventually(t, "no allocation", func() bool { return s.Stats().Allocations[transport] == 0 })
	})
}

// TestData checks what clients get byte by byte, in each of the two forms.
func TestData(t *testing.T) {
	everyTransport(t, func(t *testing.T, transport string) {
		s := start(t, testConfig(t))
		c := newClient(t, s, transport)
		relayed := c.allocate()
		if relayed.Addr() != serverIP || relayed.Port() < 49152 {
			t.Errorf("relayed address %v", relayed)
		}
		peer := echo(t)
		if code := c.permit(peer); code != 0 {
			t.Fatalf("permission: %d", code)
		}
		for _, size := range []int{0, 1, 2, 3, 4, 1200, 8000} {
			data := make([]byte, size)
			rand.Read(data)
			c.send(peer, data)
			if number, from, got := c.receive(); number != 0 || from != peer || !bytes.Equal(got, data) {
				t.Fatalf("%d bytes: received %d from %v", size, len(got), from)
			}
		}
		if code := c.bind(0x4001, peer); code != 0 {
			t.Fatalf("channel: %d", code)
		}
		for _, size := range []int{0, 1, 2, 3, 4, 1200, 9000} {
			data := make([]byte, size)
			rand.Read(data)
			c.sendChannel(0x4001, data)
			if number, _, got := c.receive(); number != 0x4001 || !bytes.Equal(got, data) {
				t.Fatalf("%d bytes: received %d on %#x", size, len(got), number)
			}
		}
	})
}

// TestManyMessages sends faster than a wait for each answer allows, so that messages are
// received and sent several at a time.
func TestManyMessages(t *testing.T) {
	everyTransport(t, func(t *testing.T, transport string) {
		s := start(t, testConfig(t))
		c := newClient(t, s, transport)
		c.allocate()
		peer := echo(t)
		if code := c.bind(0x4000, peer); code != 0 {
			t.Fatalf("channel: %d", code)
		}
		for round := range 20 {
			for i := range 40 {
				c.sendChannel(0x4000, bytes.Repeat([]byte{byte(i)}, 100+round*10+i))
			}
			for i := range 40 {
				_, _, got := c.receive()
				if want := bytes.Repeat([]byte{byte(i)}, 100+round*10+i); !bytes.Equal(got, want) {
					t.Fatalf("round %d: message %d is %d bytes", round, i, len(got))
				}
			}
		}
	})
}

// TestRelayToRelay connects clients of different transports that reach nothing but the
// server.
func TestRelayToRelay(t *testing.T) {
	for _, nat := range []bool{false, true} {
		cfg := testConfig(t)
		announced := serverIP
		if nat {
			announced = netip.MustParseAddr("198.51.100.7")
			cfg.RelayIPs = []RelayIP{{Announce: announced, Listen: serverIP}}
		}
		s := start(t, cfg)
		a, b := newClient(t, s, TransportTLS), newClient(t, s, TransportUDP)
		atA, atB := a.allocate(), b.allocate()
		if atA.Addr() != announced {
			t.Fatalf("relayed address %v", atA)
		}
		if code := a.bind(0x4000, atB); code != 0 {
			t.Fatalf("channel: %d", code)
		}
		if code := b.permit(atA); code != 0 {
			t.Fatalf("permission: %d", code)
		}
		a.sendChannel(0x4000, []byte("there"))
		if _, from, data := b.receive(); from != atA || string(data) != "there" {
			t.Fatalf("received %q from %v", data, from)
		}
		b.send(atA, []byte("and back"))
		if number, _, data := a.receive(); number != 0x4000 || string(data) != "and back" {
			t.Fatalf("received %q on %#x", data, number)
		}
		// The permission is for relayed addresses, and not for what else is there.
		other, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(serverIP, 0)))
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		port := other.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		dropped := s.Stats().Dropped[DroppedNoPermission]
		b.send(netip.AddrPortFrom(announced, port), []byte("not there"))
		eventually(t, "dropped", func() bool { return s.Stats().Dropped[DroppedNoPermission] == dropped+1 })
		// A channel is not even bound.
		if code := b.bind(0x4000, netip.AddrPortFrom(announced, 80)); code != stun.CodeForbidden {
			t.Errorf("channel to port 80: %d", code)
		}
	}
}

// TestConnectionEnds takes an allocation down with the connection that it was made on.
func TestConnectionEnds(t *testing.T) {
	for _, transport := range []string{TransportTCP, TransportTLS} {
		s := start(t, testConfig(t))
		c := newClient(t, s, transport)
		relayed := c.allocate()
		c.conn.Close()
		eventually(t, "no allocation", func() bool {
			stats := s.Stats()
			return stats.Allocations[transport] == 0 && stats.Connections[transport] == 0
		})
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(relayed))
		if err != nil {
			t.Errorf("relayed address is still in use: %v", err)
		} else {
			conn.Close()
		}
	}
}

// TestCloseClosesClients sees to it that no connection outlasts the server.
func TestCloseClosesClients(t *testing.T) {
	s, err := New(testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.Background()) }()
	silent, busy, secure := connect(t, s, TransportTCP), newClient(t, s, TransportTCP), newClient(t, s, TransportTLS)
	busy.allocate()
	secure.allocate()
	newClient(t, s, TransportUDP).allocate()
	eventually(t, "three connections", func() bool {
		stats := s.Stats()
		return stats.Connections[TransportTCP] == 2 && stats.Connections[TransportTLS] == 1
	})
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close once more: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	for _, conn := range []net.Conn{silent, busy.conn, secure.conn} {
		conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("read from a closed server: %v", err)
		}
	}
	if err := s.Run(context.Background()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run after Close: %v", err)
	}
	if stats := s.Stats(); stats.Allocations[TransportTCP]+stats.Allocations[TransportTLS]+stats.Allocations[TransportUDP] != 0 {
		t.Errorf("allocations are left: %v", stats.Allocations)
	}
}

// TestShutdown lets an allocation end, and makes no other.
func TestShutdown(t *testing.T) {
	s := start(t, testConfig(t))
	c, late := newClient(t, s, TransportUDP), newClient(t, s, TransportTCP)
	c.allocate()
	peer := echo(t)
	if code := c.bind(0x4000, peer); code != 0 {
		t.Fatal(code)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(context.Background()) }()
	eventually(t, "draining", func() bool { return s.Stats().Draining })
	if _, code := late.do(stun.MethodAllocate, requestUDP); code != stun.CodeInsufficientCapacity {
		t.Errorf("allocation while draining: %d", code)
	}
	if code := c.refresh(600); code != 0 {
		t.Errorf("refresh while draining: %d", code)
	}
	c.sendChannel(0x4000, []byte("still there"))
	if _, _, data := c.receive(); string(data) != "still there" {
		t.Errorf("received %q", data)
	}
	select {
	case err := <-ended:
		t.Fatalf("Shutdown did not wait: %v", err)
	default:
	}
	if code := c.refresh(0); code != 0 {
		t.Errorf("end of the allocation: %d", code)
	}
	if err := <-ended; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// TestShutdownIsCutShort by its context.
func TestShutdownIsCutShort(t *testing.T) {
	s := start(t, testConfig(t))
	newClient(t, s, TransportUDP).allocate()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
}

// TestNeverRun closes a server that only listened.
func TestNeverRun(t *testing.T) {
	s, err := New(testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestHandshakeTime closes connections that never get an allocation, however busy.
func TestHandshakeTime(t *testing.T) {
	t.Parallel() // as it mostly waits
	cfg := testConfig(t)
	cfg.HandshakeTime = 5 * time.Second // enough for a client in earnest
	s := start(t, cfg)
	kept := newClient(t, s, TransportTCP)
	kept.allocate()
	silent, slow := connect(t, s, TransportTCP), connect(t, s, TransportTLS)
	slow.Write([]byte{0})
	for _, conn := range []net.Conn{silent, slow} {
		conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("read: %v", err)
		}
	}
	if code := kept.refresh(600); code != 0 {
		t.Errorf("a client with an allocation was affected: %d", code)
	}
	if code := kept.refresh(0); code != 0 {
		t.Error(code)
	}
	if _, err := kept.read(); !errors.Is(err, io.EOF) {
		t.Errorf("read after the end of the allocation: %v", err)
	}
}

// TestPendingConnections closes the oldest of too many.
func TestPendingConnections(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.PendingConnections = 2
	s := start(t, cfg)
	kept := newClient(t, s, TransportTCP)
	kept.allocate()
	conns := make([]net.Conn, 4)
	for i, want := range []int64{2, 3, 3, 3} {
		conns[i] = connect(t, s, TransportTCP)
		eventually(t, "accepted", func() bool {
			stats := s.Stats()
			return stats.Connections[TransportTCP] == want && stats.QuotaRefusals[QuotaPending] == uint64(max(0, i-1))
		})
	}
	for _, conn := range conns[:2] {
		conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("read: %v", err)
		}
	}
	eventually(t, "three connections", func() bool { return s.Stats().Connections[TransportTCP] == 3 })
	if n := s.Stats().QuotaRefusals[QuotaPending]; n != 2 {
		t.Errorf("%d refusals", n)
	}
	if code := kept.refresh(600); code != 0 {
		t.Errorf("a client with an allocation was affected: %d", code)
	}
}

// TestGarbageOnStream closes the connection.
func TestGarbageOnStream(t *testing.T) {
	s := start(t, testConfig(t))
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\x80\x00\x00\x00", "\x40\x00\xff\xff", "\x00\x01\xff\xfc"} {
		c := newClient(t, s, TransportTCP)
		c.write([]byte(garbage))
		if _, err := c.read(); err == nil {
			t.Errorf("%q was answered", garbage)
		}
	}
}

// onEnd has a server's end of an allocation wait for the test.
type onEnd struct {
	slog.Handler
	reached, goOn chan struct{}
}

func (onEnd) Enabled(context.Context, slog.Level) bool { return true }

func (h onEnd) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "allocation ended" {
		close(h.reached)
		<-h.goOn
	}
	return nil
}

// TestCloseWaitsForAllocationsThatEnd closes a server while the end of a client's
// connection undoes an allocation.
func TestCloseWaitsForAllocationsThatEnd(t *testing.T) {
	h := onEnd{slog.DiscardHandler, make(chan struct{}), make(chan struct{})}
	cfg := testConfig(t)
	cfg.Logger = slog.New(h)
	s := start(t, cfg)
	c := newClient(t, s, TransportTCP)
	c.allocate()
	c.conn.Close()
	<-h.reached
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.Close()
	}()
	eventually(t, "listens no more", func() bool {
		conn, err := net.Dial("tcp4", s.Addrs(TransportTCP)[0].String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	for range 100 {
		runtime.Gosched()
	}
	select {
	case <-closed:
		t.Error("the server is closed before its allocation has ended")
	default:
	}
	close(h.goOn)
	<-closed
}
