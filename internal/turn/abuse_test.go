package turn

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun"
)

// TestDeniedPeers tries every encoding of every range that is denied with a real client,
// by each way to reach a peer.
func TestDeniedPeers(t *testing.T) {
	cfg := testConfig(t)
	cfg.AllowPeers = nil
	s := start(t, cfg)
	c := newClient(t, s, TransportTCP)
	c.allocate()
	want := make(map[string]uint64)
	for _, d := range denied {
		peer := netip.AddrPortFrom(netip.MustParseAddr(d.ip), 8080)
		expected := stun.CodeForbidden
		if d.class == DeniedFamily {
			expected = stun.CodePeerAddrFamilyMismatch
		}
		if d.ip == serverIP.String() {
			// It is where the relayed addresses are, which is all that can be reached there.
			if code := c.permit(peer); code != 0 {
				t.Errorf("permission for %s: %d", d.ip, code)
			}
			if code := c.bind(0x4000, peer); code != stun.CodeForbidden {
				t.Errorf("channel to %s: %d", d.ip, code)
			}
			want[DeniedOwn]++
			continue
		}
		if code := c.permit(peer); code != expected {
			t.Errorf("permission for %s: %d", d.ip, code)
		}
		if code := c.bind(0x4000, peer); code != expected {
			t.Errorf("channel to %s: %d", d.ip, code)
		}
		class := d.class
		for _, form := range embedded([]netip.Addr{peer.Addr()}, peer.Addr()) {
			if s.filter.own.contain(form) { // such as ::1
				class = DeniedOwn
			}
		}
		want[class] += 2
		c.send(peer, []byte("without permission"))
		c.sendChannel(0x4000, []byte("without a channel"))
	}
	stats := s.Stats()
	for _, class := range DeniedClasses() {
		if stats.PermissionsDenied[class] != want[class] {
			t.Errorf("%s was denied %d times, want %d", class, stats.PermissionsDenied[class], want[class])
		}
	}
	if stats.Messages[ToPeer] != 0 {
		t.Errorf("%d messages were relayed", stats.Messages[ToPeer])
	}
}

// TestLoopbackBypass is what let coturn relay to services of its own machine:
// CVE-2020-26262 (0.0.0.0, [::], [::1]) and CVE-2026-27624 (IPv4-mapped addresses pass a
// list of denied IPv4 ranges). Something listens there, and hears nothing.
func TestLoopbackBypass(t *testing.T) {
	cfg := testConfig(t)
	cfg.DenyPeers = []netip.Prefix{netip.MustParsePrefix("127.0.0.3/32")}
	s := start(t, cfg)
	inner, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	port := inner.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	c := newClient(t, s, TransportUDP)
	c.allocate()
	for i, ip := range []string{
		"0.0.0.0", "::", "::1", "127.0.0.3", "::ffff:127.0.0.3", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::127.0.0.3",
		"64:ff9b::127.0.0.3", "2002:7f00:3::",
	} {
		peer := netip.AddrPortFrom(netip.MustParseAddr(ip), port)
		if code := c.permit(peer); code == 0 {
			t.Errorf("permission for %s", ip)
		}
		if code := c.bind(0x4000+uint16(i), peer); code == 0 {
			t.Errorf("channel to %s", ip)
		}
		c.send(peer, []byte("from outside"))
		c.sendChannel(0x4000+uint16(i), []byte("from outside"))
	}
	// What has to pass came after all that: nothing before it got through.
	allowed := netip.AddrPortFrom(peerIP, port)
	if code := c.permit(allowed); code != 0 {
		t.Fatalf("permission for %v: %d", allowed, code)
	}
	c.send(allowed, []byte("let through"))
	inner.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 100)
	if n, _, err := inner.ReadFrom(buf); err != nil || string(buf[:n]) != "let through" {
		t.Errorf("received %q, %v", buf[:n], err)
	}
}

// TestPermissionsAreAllOrNothing keeps none of a request of which one is denied, in pion
// neither.
func TestPermissionsAreAllOrNothing(t *testing.T) {
	s := start(t, testConfig(t))
	c := newClient(t, s, TransportUDP)
	c.allocate()
	peer := listenPeer(t)
	good := peer.LocalAddr().(*net.UDPAddr).AddrPort()
	bad := netip.MustParseAddrPort("10.0.0.1:1")
	if code := c.permit(good, bad); code != stun.CodeForbidden {
		t.Fatalf("permissions: %d", code)
	}
	c.send(good, []byte("too early"))
	if code := c.permit(good, good); code != 0 {
		t.Fatalf("permissions: %d", code)
	}
	c.send(good, []byte("in time"))
	buf := make([]byte, 100)
	peer.SetReadDeadline(time.Now().Add(patience))
	if n, _, err := peer.ReadFromUDPAddrPort(buf); err != nil || string(buf[:n]) != "in time" {
		t.Errorf("received %q, %v", buf[:n], err)
	}
}

// TestPeersWithoutPermission are not heard.
func TestPeersWithoutPermission(t *testing.T) {
	s := start(t, testConfig(t))
	c := newClient(t, s, TransportUDP)
	relayed := c.allocate()
	stranger := listenPeer(t)
	stranger.WriteToUDPAddrPort([]byte("hello"), relayed)
	eventually(t, "dropped", func() bool { return s.Stats().Dropped[DroppedNoPermission] == 1 })
	if code := c.permit(netip.AddrPortFrom(peerIP, 1)); code != 0 {
		t.Fatal(code)
	}
	stranger.WriteToUDPAddrPort([]byte("hello again"), relayed)
	if _, from, data := c.receive(); string(data) != "hello again" || from != stranger.LocalAddr().(*net.UDPAddr).AddrPort() {
		t.Errorf("received %q from %v", data, from)
	}
}

// TestStrangersAllocation cannot be used by whoever has no part in it.
func TestStrangersAllocation(t *testing.T) {
	s := start(t, testConfig(t))
	c := newClient(t, s, TransportTCP)
	c.allocate()
	username, password, _ := s.Credentials("stranger")
	own, ownKey := c.username, c.key
	c.login(username, password)
	if code := c.refresh(0); code != stun.CodeWrongCredentials {
		t.Errorf("refresh with other credentials: %d", code)
	}
	if code := c.permit(netip.AddrPortFrom(peerIP, 1)); code != stun.CodeWrongCredentials {
		t.Errorf("permission with other credentials: %d", code)
	}
	if _, code := c.do(stun.MethodAllocate, requestUDP); code != stun.CodeAllocMismatch {
		t.Errorf("allocation with other credentials: %d", code)
	}
	c.username = own
	if _, code := c.do(stun.MethodRefresh); code != stun.CodeUnauthorized {
		t.Errorf("refresh with a wrong key: %d", code)
	}
	c.key = ownKey
	if code := c.refresh(600); code != 0 {
		t.Errorf("refresh: %d", code)
	}
	if got := s.Stats().AuthFailures; got[AuthOther] != 2 || got[AuthMismatch] != 1 {
		t.Errorf("authentication failures %v", got)
	}
}

// TestNoAllocation gets an answer, and data gets none.
func TestNoAllocation(t *testing.T) {
	everyTransport(t, func(t *testing.T, transport string) {
		s := start(t, testConfig(t))
		c := newClient(t, s, transport)
		peer := netip.AddrPortFrom(peerIP, 1)
		if code := c.permit(peer); code != stun.CodeAllocMismatch {
			t.Errorf("permission: %d", code)
		}
		if code := c.bind(0x4000, peer); code != stun.CodeAllocMismatch {
			t.Errorf("channel: %d", code)
		}
		if code := c.refresh(600); code != stun.CodeAllocMismatch {
			t.Errorf("refresh: %d", code)
		}
		if code := c.refresh(0); code != 0 {
			t.Errorf("end: %d", code)
		}
		c.send(peer, nil)
		c.sendChannel(0x4000, nil)
		eventually(t, "dropped", func() bool { return s.Stats().Dropped[DroppedNoAllocation] == 2 })
	})
}

// TestUnsupported is what pion would do something else with than what was asked for.
func TestUnsupported(t *testing.T) {
	s := start(t, testConfig(t))
	for _, test := range []struct {
		name    string
		code    stun.ErrorCode
		setters []stun.Setter
	}{
		{"TCP", stun.CodeUnsupportedTransProto, []stun.Setter{raw(stun.AttrRequestedTransport, []byte{6, 0, 0, 0})}},
		{"no transport", stun.CodeBadRequest, nil},
		{"IPv6", stun.CodeAddrFamilyNotSupported, []stun.Setter{requestUDP, raw(attrRequestedFamily, []byte{2, 0, 0, 0})}},
		{"unknown token", stun.CodeInsufficientCapacity, []stun.Setter{requestUDP, raw(stun.AttrReservationToken, make([]byte, 8))}},
		{"don't fragment", stun.CodeUnknownAttribute, []stun.Setter{requestUDP, raw(stun.AttrDontFragment, nil)}},
		{"no lifetime", stun.CodeInsufficientCapacity, []stun.Setter{requestUDP, lifetime(0)}},
		{"IPv4", 0, []stun.Setter{requestUDP, raw(attrRequestedFamily, []byte{1, 0, 0, 0})}},
	} {
		if _, code := newClient(t, s, TransportUDP).do(stun.MethodAllocate, test.setters...); code != test.code {
			t.Errorf("%s: %d", test.name, code)
		}
	}
	c := newClient(t, s, TransportUDP)
	c.allocate()
	peer := netip.AddrPortFrom(peerIP, 1)
	for _, number := range []uint16{0, 1, 0x3fff, 0x8000, 0xffff} {
		if code := c.bind(number, peer); code != stun.CodeBadRequest {
			t.Errorf("channel %#x: %d", number, code)
		}
	}
	if code := c.bind(0x4000, peer); code != 0 {
		t.Fatal(code)
	}
	if code := c.bind(0x4001, peer); code != stun.CodeBadRequest {
		t.Errorf("second channel to a peer: %d", code)
	}
	if code := c.bind(0x4000, netip.AddrPortFrom(peerIP, 2)); code != stun.CodeBadRequest {
		t.Errorf("second peer of a channel: %d", code)
	}
}

// TestMalformed is dropped before pion sees it, and the server goes on.
func TestMalformed(t *testing.T) {
	s := start(t, testConfig(t))
	c := newClient(t, s, TransportUDP)
	c.allocate()
	send := stun.NewType(stun.MethodSend, stun.ClassIndication)
	build := func(setters ...stun.Setter) []byte {
		m, err := stun.Build(append([]stun.Setter{stun.TransactionID}, setters...)...)
		if err != nil {
			t.Fatal(err)
		}
		return m.Raw
	}
	short := build(stun.NewType(stun.MethodBinding, stun.ClassRequest))
	messages := [][]byte{
		{}, {0}, {0, 1, 0, 0}, {0x40}, {0x40, 0, 0, 1}, bytes.Repeat([]byte{0xff}, 100), bytes.Repeat([]byte{0x80}, 20),
		short[:19], append(bytes.Clone(short), 0), append(bytes.Clone(short), 0, 0, 0, 0),
		build(send), build(send, raw(stun.AttrData, nil)), build(send, peerAddress(netip.AddrPortFrom(peerIP, 1))),
		build(stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse)),
		build(stun.NewType(stun.MethodConnect, stun.ClassRequest)),
		c.build(stun.MethodCreatePermission, raw(stun.AttrXORPeerAddress, nil)).Raw,
		c.build(stun.MethodCreatePermission, raw(stun.AttrXORPeerAddress, []byte{0})).Raw,
		c.build(stun.MethodChannelBind, channelNumber(0x4000), raw(stun.AttrXORPeerAddress, []byte{0, 1, 0, 0})).Raw,
		c.build(stun.MethodChannelBind, raw(stun.AttrChannelNumber, []byte{1})).Raw,
	}
	// Not covered by what it is signed with.
	late := c.build(stun.MethodCreatePermission)
	if err := peerAddress(netip.AddrPortFrom(peerIP, 1)).AddTo(late); err != nil {
		t.Fatal(err)
	}
	messages = append(messages, late.Raw)
	for _, m := range messages {
		c.write(m)
	}
	eventually(t, fmt.Sprint(len(messages), " messages dropped"), func() bool {
		return s.Stats().Dropped[DroppedMalformed] == uint64(len(messages))
	})
	if code := c.refresh(600); code != 0 {
		t.Error(code)
	}
	if len(c.other) != 0 {
		t.Errorf("%d answers", len(c.other))
	}
}

// TestChallengeFlood answers one client so often and no more, and takes no notice of
// requests without credentials but for that.
func TestChallengeFlood(t *testing.T) {
	everyTransport(t, func(t *testing.T, transport string) {
		s := start(t, testConfig(t), func(s *Server) {
			// Ten at once, and no more for the rest of the test.
			s.challenges.interval, s.challenges.burst = int64(time.Hour), 10*int64(time.Hour)
		})
		c := newClient(t, s, transport)
		c.allocate() // takes one
		nonce := c.nonce
		c.nonce = nil
		const flood = 200
		for range flood {
			c.write(c.build(stun.MethodAllocate, requestUDP).Raw)
		}
		eventually(t, "refusals", func() bool { return s.Stats().QuotaRefusals[QuotaChallenges] == flood-9 })
		c.nonce = nonce
		// Wrong credentials count as none.
		c.write(c.build(stun.MethodRefresh, stun.NewUsername("nobody")).Raw)
		eventually(t, "another refusal", func() bool { return s.Stats().QuotaRefusals[QuotaChallenges] == flood-8 })
		if code := c.refresh(600); code != 0 {
			t.Errorf("whoever has credentials: %d", code)
		}
		if len(c.other) != 9 {
			t.Errorf("%d answers", len(c.other))
		}
		if n := s.Stats().AllocationsTotal[transport]; n != 1 {
			t.Errorf("%d allocations", n)
		}
	})
}
