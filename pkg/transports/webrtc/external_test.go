package webrtc

import (
	"slices"
	"strings"
	"testing"

	"github.com/pion/ice/v2"
	pion "github.com/pion/webrtc/v3"
)

func TestExternalCandidates(t *testing.T) {
	external, err := Config{ExternalIPs: []string{"203.0.113.5", "203.0.113.6:31234", "2001:db8::5", "::ffff:203.0.113.7"}}.external()
	if err != nil {
		t.Fatal(err)
	}
	host := func(address string) *pion.ICECandidate {
		return &pion.ICECandidate{
			Foundation: "2070692838", Priority: 2130706431, Address: address, Port: 3479,
			Protocol: pion.ICEProtocolUDP, Typ: pion.ICECandidateTypeHost, Component: 1,
		}
	}
	relay := host("10.0.0.1")
	relay.Typ = pion.ICECandidateTypeRelay
	for _, test := range []struct {
		candidate *pion.ICECandidate
		want      []string
	}{
		{host("10.0.0.1"), []string{
			"candidate:2070692838x0 1 udp 1694498815 203.0.113.5 3479 typ srflx raddr 10.0.0.1 rport 3479",
			"candidate:2070692838x1 1 udp 1694498815 203.0.113.6 31234 typ srflx raddr 10.0.0.1 rport 3479",
			"candidate:2070692838x3 1 udp 1694498815 203.0.113.7 3479 typ srflx raddr 10.0.0.1 rport 3479",
		}},
		{host("fd00::1"), []string{
			"candidate:2070692838x2 1 udp 1694498815 2001:db8::5 3479 typ srflx raddr fd00::1 rport 3479",
		}},
		{host("127.0.0.1"), nil},
		{relay, nil},
	} {
		got := externalCandidates(test.candidate, external)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: candidates are %q, want %q", test.candidate.Address, got, test.want)
		}
		for _, line := range got {
			if _, err := ice.UnmarshalCandidate(strings.TrimPrefix(line, "candidate:")); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}

// The premise of external candidates: a node takes packets that come in through
// an address that it has only announced, here that of a forwarder before it.
func TestConnectsThroughExternalAddress(t *testing.T) {
	inner := closeAtEnd(t, New(Config{MuxAddr: "127.0.0.1:0", Loopback: LoopbackAlways}))
	if err := inner.Bind(); err != nil {
		t.Fatal(err)
	}
	nat := newForwarder(t, inner.Addrs()[0])
	outer := closeAtEnd(t, New(Config{Loopback: LoopbackAlways}))
	a, b := newWires()
	c1, c2 := connectOver(t, outer, inner, a, &behindNAT{wire: b, nat: nat.addr()})
	exchange(t, c1, c2)
	if got := c1.RemoteAddr().String(); got != nat.addr().String() {
		t.Errorf("remote address is %s, want %s", got, nat.addr())
	}
}
