package turn

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun"
)

// TestAllocationQuotas counts allocations by credential, client and in total, and what
// has ended no longer.
func TestAllocationQuotas(t *testing.T) {
	everyTransport(t, func(t *testing.T, transport string) {
		for _, test := range []struct {
			quota  string
			limits Limits
			code   stun.ErrorCode
		}{
			{QuotaCredential, Limits{AllocationsPerCredential: 2}, stun.CodeAllocQuotaReached},
			{QuotaClient, Limits{AllocationsPerClient: 2}, stun.CodeAllocQuotaReached},
			{QuotaTotal, Limits{Allocations: 2}, stun.CodeInsufficientCapacity},
		} {
			cfg := testConfig(t)
			cfg.Limits = test.limits
			s := start(t, cfg)
			first, second, third := newClient(t, s, transport), newClient(t, s, transport), newClient(t, s, transport)
			first.allocate()
			second.allocate()
			for range 3 {
				if _, code := third.do(stun.MethodAllocate, requestUDP); code != test.code {
					t.Errorf("%s: %d", test.quota, code)
				}
			}
			if got := s.Stats().QuotaRefusals[test.quota]; got != 3 {
				t.Errorf("%s: %d refusals", test.quota, got)
			}
			if code := first.refresh(0); code != 0 {
				t.Errorf("end: %d", code)
			}
			third.allocate()
		}
	})
}

// TestQuotaIsPerName gives whoever fetches more credentials no more allocations, and
// others theirs.
func TestQuotaIsPerName(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.AllocationsPerCredential = 1
	s := start(t, cfg)
	newClient(t, s, TransportUDP).allocate()
	c := newClient(t, s, TransportUDP)
	username := "99999999999:client"
	c.login(username, Password([]byte(testSecret), username))
	if _, code := c.do(stun.MethodAllocate, requestUDP); code != stun.CodeAllocQuotaReached {
		t.Errorf("another credential of the same client: %d", code)
	}
	username, password, _ := s.Credentials("other")
	c.login(username, password)
	c.allocate()
}

// TestRetransmissions of a request are one allocation.
func TestRetransmissions(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits = Limits{AllocationsPerCredential: 1, AllocationsPerClient: 1, Allocations: 1}
	s := start(t, cfg)
	c := newClient(t, s, TransportUDP)
	c.do(stun.MethodRefresh, lifetime(0)) // for the nonce
	request := c.build(stun.MethodAllocate, requestUDP)
	for range 5 {
		c.write(request.Raw)
	}
	first := c.relayed(c.response(request))
	for range 4 {
		if again := c.relayed(c.response(request)); again != first {
			t.Errorf("relayed addresses %v and %v", first, again)
		}
	}
	if _, code := c.do(stun.MethodAllocate, requestUDP); code != stun.CodeAllocMismatch {
		t.Errorf("another request: %d", code)
	}
	stats := s.Stats()
	if stats.Allocations[TransportUDP] != 1 || stats.AllocationsTotal[TransportUDP] != 1 || stats.QuotaRefusals[QuotaTotal] != 0 {
		t.Errorf("stats %+v", stats)
	}
	// The end, too, may be asked for twice.
	request = c.build(stun.MethodRefresh, lifetime(0))
	c.exchange(request)
	c.exchange(request)
	if n, _ := s.quotas.state(); n != 0 {
		t.Errorf("%d allocations are counted", n)
	}
	c.allocate()
}

// TestRacingAllocations lets no more through than there may be.
func TestRacingAllocations(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.Allocations = 5
	cfg.UDPSockets = 4
	s := start(t, cfg)
	var clients []*client
	for range 20 {
		c := newClient(t, s, TransportUDP)
		c.do(stun.MethodRefresh, lifetime(0))
		clients = append(clients, c)
	}
	var wait sync.WaitGroup
	codes := make([]stun.ErrorCode, len(clients))
	for i, c := range clients {
		wait.Go(func() { _, codes[i] = c.do(stun.MethodAllocate, requestUDP) })
	}
	wait.Wait()
	made := 0
	for _, code := range codes {
		if code == 0 {
			made++
		}
	}
	if made != 5 || s.Stats().Allocations[TransportUDP] != 5 {
		t.Errorf("%d allocations: %v", made, codes)
	}
}

// TestPortsRunOut refuses an allocation when the range is used up, and another process'
// port is passed over.
func TestPortsRunOut(t *testing.T) {
	cfg := testConfig(t)
	taken, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(serverIP, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	cfg.RelayPorts = PortRange{port, port}
	s := start(t, cfg)
	c := newClient(t, s, TransportUDP)
	if _, code := c.do(stun.MethodAllocate, requestUDP); code != stun.CodeInsufficientCapacity {
		t.Errorf("allocation: %d", code)
	}
	if got := s.Stats().QuotaRefusals[QuotaPorts]; got != 1 {
		t.Errorf("%d refusals", got)
	}
	taken.Close()
	if relayed := c.allocate(); relayed.Port() != port {
		t.Errorf("relayed address %v", relayed)
	}
	if _, code := newClient(t, s, TransportUDP).do(stun.MethodAllocate, requestUDP); code != stun.CodeInsufficientCapacity {
		t.Errorf("second allocation: %d", code)
	}
}

// TestEvenPort asks for a pair of ports, as RTP and RTCP want them.
func TestEvenPort(t *testing.T) {
	s := start(t, testConfig(t))
	c, next := newClient(t, s, TransportUDP), newClient(t, s, TransportUDP)
	response := c.must(stun.MethodAllocate, requestUDP, raw(stun.AttrEvenPort, []byte{0x80}))
	even := c.relayed(response)
	token, err := response.Get(stun.AttrReservationToken)
	if err != nil || even.Port()%2 != 0 {
		t.Fatalf("relayed address %v, token %v", even, err)
	}
	if n, _ := s.quotas.state(); n != 3 { // and what pion reserves
		t.Errorf("%d ports are counted", n)
	}
	stranger := newClient(t, s, TransportUDP)
	username, password, _ := s.Credentials("stranger")
	stranger.login(username, password)
	if _, code := stranger.do(stun.MethodAllocate, requestUDP, raw(stun.AttrReservationToken, token)); code != stun.CodeInsufficientCapacity {
		t.Errorf("somebody else's token: %d", code)
	}
	next.login(c.username, "")
	next.key = c.key
	if odd := next.relayed(next.must(stun.MethodAllocate, requestUDP, raw(stun.AttrReservationToken, token))); odd.Port() != even.Port()+1 {
		t.Errorf("reserved address %v after %v", odd, even)
	}
	peer := echo(t)
	if code := next.permit(peer); code != 0 {
		t.Fatal(code)
	}
	next.send(peer, []byte("by the reserved port"))
	if _, _, data := next.receive(); string(data) != "by the reserved port" {
		t.Errorf("received %q", data)
	}
	// One that is never claimed goes with the server at the latest.
	single := newClient(t, s, TransportUDP)
	if port := single.allocate(raw(stun.AttrEvenPort, []byte{0})).Port(); port%2 != 0 {
		t.Errorf("port %d", port)
	}
	newClient(t, s, TransportUDP).allocate(raw(stun.AttrEvenPort, []byte{0x80}))
	if n, _ := s.quotas.state(); n != 5+3 {
		t.Errorf("%d ports are counted", n)
	}
}

// TestEvenPortsAreCounted has each allocation of an even port count once more, as long as
// pion has it for a reservation: whatever a client does, these are not to pile up.
func TestEvenPortsAreCounted(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.AllocationsPerCredential = 4
	s := start(t, cfg)
	c := newClient(t, s, TransportUDP)
	for range 3 {
		c.allocate(raw(stun.AttrEvenPort, []byte{0}))
		if code := c.refresh(0); code != 0 {
			t.Fatalf("end: %d", code)
		}
	}
	if _, code := c.do(stun.MethodAllocate, requestUDP, raw(stun.AttrEvenPort, []byte{0})); code != stun.CodeAllocQuotaReached {
		t.Errorf("fourth: %d", code)
	}
	eventually(t, "three are counted", func() bool { // what a refused request took is given back after the answer
		n, _ := s.quotas.state()
		return n == 3
	})
	other := newClient(t, s, TransportUDP)
	username, password, _ := s.Credentials("other")
	other.login(username, password)
	other.allocate(raw(stun.AttrEvenPort, []byte{0}))
}

// TestPermissionQuota counts addresses, and refreshing one needs no room.
func TestPermissionQuota(t *testing.T) {
	cfg := testConfig(t)
	cfg.AllowPeers = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	cfg.Limits.Permissions = 3
	s := start(t, cfg)
	c := newClient(t, s, TransportUDP)
	c.allocate()
	peer := func(i byte) netip.AddrPort { return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, i}), 9) }
	if code := c.permit(peer(1), peer(2), peer(3), peer(4)); code != stun.CodeInsufficientCapacity {
		t.Errorf("four at once: %d", code)
	}
	if code := c.permit(peer(1), peer(1), peer(2)); code != 0 {
		t.Errorf("two: %d", code)
	}
	if code := c.bind(0x4000, peer(3)); code != 0 {
		t.Errorf("channel to a third: %d", code)
	}
	if code := c.permit(peer(1), peer(2), peer(3)); code != 0 {
		t.Errorf("refresh: %d", code)
	}
	if code := c.permit(peer(4)); code != stun.CodeInsufficientCapacity {
		t.Errorf("fourth: %d", code)
	}
	if code := c.bind(0x4001, peer(4)); code != stun.CodeInsufficientCapacity {
		t.Errorf("channel to a fourth: %d", code)
	}
	// Channels have a quota of their own.
	for i := range uint16(3) {
		want := stun.ErrorCode(0)
		if i == 2 {
			want = stun.CodeInsufficientCapacity
		}
		if code := c.bind(0x4002+i, netip.AddrPortFrom(peer(3).Addr(), 100+i)); code != want {
			t.Errorf("channel %d: %d", i+2, code)
		}
	}
	stats := s.Stats()
	if stats.QuotaRefusals[QuotaPermissions] != 4 || stats.PermissionsDenied[DeniedQuota] != 4 {
		t.Errorf("stats %v, %v", stats.QuotaRefusals, stats.PermissionsDenied)
	}
}

// TestByteQuotas drops what is beyond them, in both directions.
func TestByteQuotas(t *testing.T) {
	for _, test := range []struct {
		quota  string
		limits Limits
	}{
		{QuotaRate, Limits{BytesPerAllocation: 1000}},
		{QuotaTotalRate, Limits{Bytes: 1000}},
	} {
		cfg := testConfig(t)
		cfg.Limits = test.limits
		s := start(t, cfg)
		c := newClient(t, s, TransportTCP)
		relayed := c.allocate()
		peer := listenPeer(t)
		at := peer.LocalAddr().(*net.UDPAddr).AddrPort()
		if code := c.permit(at); code != 0 {
			t.Fatal(code)
		}
		c.send(at, make([]byte, 600))
		c.send(at, make([]byte, 600)) // does not fit
		c.send(at, make([]byte, 300)) // does
		for _, want := range []int{600, 300} {
			peer.SetReadDeadline(time.Now().Add(patience))
			if n, _, err := peer.ReadFromUDPAddrPort(make([]byte, 2000)); n != want {
				t.Fatalf("%s: peer received %d bytes, want %d: %v", test.quota, n, want, err)
			}
		}
		before := s.Stats().QuotaRefusals[test.quota]
		peer.WriteToUDPAddrPort(make([]byte, 900), relayed)
		eventually(t, "dropped, and the rest counted", func() bool {
			stats := s.Stats()
			return stats.QuotaRefusals[test.quota] > before && stats.Bytes[ToPeer] == 900 && stats.Bytes[ToClient] == 0
		})
	}
}

func TestBucket(t *testing.T) {
	var b bucket
	b.init(1000)
	const second = int64(time.Second)
	for i, step := range []struct {
		at   int64
		n    int
		want bool
	}{
		{0, 1000, true}, {0, 1, false}, {second / 2, 501, false}, {second / 2, 500, true}, {second, 501, false},
		{10 * second, 1001, false}, {10 * second, 1000, true},
	} {
		if got := b.take(step.n, step.at); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	b.giveBack(100)
	if !b.take(100, 10*second) || b.take(1, 10*second) {
		t.Error("what was given back")
	}
	var unlimited bucket
	unlimited.init(Unlimited)
	if !unlimited.take(1<<40, 0) {
		t.Error("unlimited")
	}
}

func TestChallengesAreBounded(t *testing.T) {
	const size = 100
	c := newChallenges(1, size)
	ip := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{1, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 10 * size {
		if !c.allow(ip(i), 0) {
			t.Fatalf("client %d was refused", i)
		}
		if n := len(c.young) + len(c.old); n > 2*size {
			t.Fatalf("%d clients are remembered", n)
		}
	}
	// Five at once, and one a second.
	client := netip.MustParseAddr("2001:db8:1:2::1")
	for i := range 5 {
		if !c.allow(client, 0) {
			t.Errorf("answer %d", i)
		}
	}
	if c.allow(netip.MustParseAddr("2001:db8:1:2:ffff::1"), 0) {
		t.Error("another address of the same /64")
	}
	if !c.allow(netip.MustParseAddr("2001:db8:1:3::1"), 0) {
		t.Error("another /64")
	}
	if !c.allow(client, int64(time.Second)) || c.allow(client, int64(time.Second)) {
		t.Error("one a second")
	}
	if c.allow(netip.MustParseAddr("::ffff:1.0.0.1"), 0) != c.allow(netip.MustParseAddr("1.0.0.1"), 0) {
		t.Error("a mapped address is another client")
	}
	if unlimited := newChallenges(Unlimited, size); !unlimited.allow(client, 0) {
		t.Error("unlimited")
	}
}

func TestDrain(t *testing.T) {
	q := newQuotas(DefaultLimits())
	key := clientKey(peerIP)
	release, _ := q.acquire("a", key)
	idle := q.drain()
	if _, refused := q.acquire("a", key); refused != QuotaDraining {
		t.Errorf("refused %q", refused)
	}
	select {
	case <-idle:
		t.Fatal("idle with an allocation")
	default:
	}
	release()
	<-idle
	if <-q.drain(); len(q.clients)+len(q.credentials) != 0 {
		t.Errorf("counts are left: %v %v", q.clients, q.credentials)
	}
	<-newQuotas(DefaultLimits()).drain()
}
