package webrtc

import (
	"io"
	"net"
	"strings"
	"testing"
)

// exchange sends something both ways.
func exchange(t *testing.T, c1, c2 net.Conn) {
	t.Helper()
	for _, way := range []struct{ from, to net.Conn }{{c1, c2}, {c2, c1}} {
		if _, err := way.from.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 5)
		if _, err := io.ReadFull(way.to, got); err != nil || string(got) != "hello" {
			t.Fatalf("read %q and %v", got, err)
		}
	}
}

func port(t *testing.T, addr net.Addr) int {
	t.Helper()
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		t.Fatalf("address is a %T", addr)
	}
	return udp.Port
}

func TestOnePort(t *testing.T) {
	wildcard, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"every address":  {MuxAddr: ":0"},
		"only IPv4":      {MuxAddr: "0.0.0.0:0"},
		"one address":    {MuxAddr: "127.0.0.1:0", Loopback: LoopbackAlways},
		"with loopback":  {MuxAddr: ":0", Loopback: LoopbackAlways},
		"wildcard":       {MuxConn: wildcard},
		"with externals": {MuxAddr: ":0", ExternalIPs: []string{"192.0.2.77:4321"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they spend their time on saying goodbye to who does not read
			seed := closeAtEnd(t, New(cfg))
			if seed.Addrs() != nil {
				t.Error("there are addresses before Bind")
			}
			for range 2 {
				if err := seed.Bind(); err != nil {
					t.Fatal(err)
				}
			}
			addrs := seed.Addrs()
			shared := port(t, addrs[0])
			for _, addr := range addrs {
				if port(t, addr) != shared {
					t.Errorf("addresses are %v, want one port", addrs)
				}
				if cfg.MuxAddr == "0.0.0.0:0" && addr.(*net.UDPAddr).IP.To4() == nil {
					t.Errorf("%v is not IPv4", addr)
				}
			}
			peer := closeAtEnd(t, New(Config{Loopback: cfg.Loopback}))
			for range 3 {
				c1, c2 := connect(t, seed, peer)
				exchange(t, c1, c2)
				c3, c4 := connect(t, peer, seed)
				exchange(t, c3, c4)
				if port(t, c1.LocalAddr()) != shared || port(t, c4.LocalAddr()) != shared {
					t.Errorf("ports are %v and %v, want %d", c1.LocalAddr(), c4.LocalAddr(), shared)
				}
				exchange(t, c1, c2)
			}
		})
	}
}

func TestBindFails(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	transport := closeAtEnd(t, New(Config{MuxAddr: taken.LocalAddr().String()}))
	for range 2 {
		if err := transport.Bind(); err == nil || !strings.Contains(err.Error(), "listen for webrtc on 127.0.0.1:") {
			t.Errorf("Bind returned %v", err)
		}
	}
	if _, err := transport.Negotiate(testContext(t), 0, &script{}); err == nil {
		t.Error("Negotiate succeeded")
	}
}

func TestWildcardMuxAddresses(t *testing.T) {
	loopback := true
	m := &wildcardMux{port: 3479, loopback: func() bool { return loopback }}
	has := func(want string) bool {
		for _, addr := range m.GetListenAddresses() {
			if addr.String() == want {
				return true
			}
		}
		return false
	}
	if !has("127.0.0.1:3479") {
		t.Errorf("addresses are %v, want loopback among them", m.GetListenAddresses())
	}
	loopback = false
	if has("127.0.0.1:3479") {
		t.Errorf("addresses are %v, want no loopback", m.GetListenAddresses())
	}
}
