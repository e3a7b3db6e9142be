package turn

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/pion/stun"
)

// messages are seeds for fuzzing.
func messages(f *testing.F) [][]byte {
	build := func(setters ...stun.Setter) []byte {
		m, err := stun.Build(append([]stun.Setter{stun.TransactionID}, setters...)...)
		if err != nil {
			f.Fatal(err)
		}
		return m.Raw
	}
	request := func(method stun.Method, setters ...stun.Setter) []byte {
		return build(append(append([]stun.Setter{stun.NewType(method, stun.ClassRequest)}, setters...),
			stun.NewUsername("1:a"), stun.NewRealm("r"), stun.NewNonce("n"), stun.MessageIntegrity("k"), stun.Fingerprint)...)
	}
	peer4, peer6 := peerAddress(netip.MustParseAddrPort("1.2.3.4:5")), peerAddress(netip.MustParseAddrPort("[2001:db8::1]:5"))
	return [][]byte{
		build(stun.BindingRequest),
		request(stun.MethodAllocate, requestUDP, raw(attrRequestedFamily, []byte{1, 0, 0, 0}), raw(stun.AttrEvenPort, []byte{0x80})),
		request(stun.MethodAllocate, requestUDP, raw(stun.AttrReservationToken, make([]byte, 8))),
		request(stun.MethodRefresh, lifetime(600)),
		request(stun.MethodCreatePermission, peer4, peer6),
		request(stun.MethodChannelBind, channelNumber(0x4000), peer4),
		build(stun.NewType(stun.MethodSend, stun.ClassIndication), peer4, raw(stun.AttrData, []byte("data"))),
		build(stun.NewType(stun.MethodSend, stun.ClassIndication), peer6, raw(stun.AttrData, nil)),
		{0x40, 0, 0, 4, 'd', 'a', 't', 'a'}, {0x40, 0, 0, 1, 'd', 0, 0, 0}, {0x7f, 0xff, 0, 0},
	}
}

// FuzzRequest compares what is understood with what pion's parser does: a gate must not
// take a request for another than pion will.
func FuzzRequest(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r request
		if !r.parse(b) {
			return
		}
		m := &stun.Message{Raw: bytes.Clone(b)}
		if err := m.Decode(); err != nil {
			t.Fatalf("pion does not understand it: %v", err)
		}
		if m.Type.Value() != r.kind&0x3fff || m.TransactionID != r.id || m.Contains(stun.AttrMessageIntegrity) != r.signed {
			t.Fatalf("pion understands %v", m)
		}
		for kind, value := range map[stun.AttrType][]byte{
			stun.AttrUsername: r.username, stun.AttrNonce: r.nonce, stun.AttrRealm: r.realm, stun.AttrReservationToken: r.token,
		} {
			if theirs, _ := m.Get(kind); !bytes.Equal(theirs, value) {
				t.Errorf("%v is %q, and %q for pion", kind, value, theirs)
			}
		}
		i := 0
		m.ForEach(stun.AttrXORPeerAddress, func(m *stun.Message) error {
			var theirs stun.XORMappedAddress
			if err := theirs.GetFromAs(m, stun.AttrXORPeerAddress); err != nil {
				t.Fatalf("pion does not understand peer %d: %v", i, err)
			}
			ip, _ := netip.AddrFromSlice(theirs.IP)
			if i >= len(r.peers) || netip.AddrPortFrom(ip, uint16(theirs.Port)) != r.peers[i] {
				t.Fatalf("peer %d of %v is %v for pion", i, r.peers, theirs)
			}
			i++
			return nil
		})
		if i != len(r.peers) {
			t.Errorf("%d peers, and %d for pion", len(r.peers), i)
		}
	})
}

// FuzzSend does the same with data, and puts it into frames.
func FuzzSend(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if number, data, ok := parseChannelData(b); ok {
			for _, pad := range []bool{false, true} {
				again, framed, ok := parseChannelData(channelFrame(inFrame(data), headroom, len(data), number, pad))
				if !ok || again != number || !bytes.Equal(framed, data) {
					t.Errorf("ChannelData of %d bytes on %#x: %d bytes on %#x", len(data), number, len(framed), again)
				}
			}
		}
		peer, data, ok := parseSend(b)
		if !ok || !peer.Addr().Is4() {
			return
		}
		frame := dataFrame(inFrame(data), headroom, len(data), peer, 1, 2)
		m := &stun.Message{Raw: frame}
		if err := m.Decode(); err != nil || m.Type != stun.NewType(stun.MethodData, stun.ClassIndication) {
			t.Fatalf("Data indication: %v: %v", m, err)
		}
		again, framed, ok := parseSend(frame)
		if !ok || again != peer || !bytes.Equal(framed, data) {
			t.Errorf("%d bytes from %v: %d bytes from %v", len(data), peer, len(framed), again)
		}
	})
}

func inFrame(data []byte) []byte {
	buf := make([]byte, headroom+len(data)+tailroom)
	copy(buf[headroom:], data)
	return buf
}

// FuzzStream takes a stream apart, in pieces of any size.
func FuzzStream(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(m, byte(3))
	}
	f.Add(bytes.Join(messages(f), nil), byte(7))
	f.Fuzz(func(t *testing.T, b []byte, piece byte) {
		whole, wholeErr := frames(bytes.NewReader(b))
		pieces, piecesErr := frames(&inPieces{b, int(piece%32) + 1})
		if len(whole) != len(pieces) || (wholeErr == nil) != (piecesErr == nil) {
			t.Fatalf("%d frames (%v) at once, %d (%v) in pieces", len(whole), wholeErr, len(pieces), piecesErr)
		}
		for i := range whole {
			if !bytes.Equal(whole[i], pieces[i]) {
				t.Errorf("frame %d is %x at once, %x in pieces", i, whole[i], pieces[i])
			}
		}
	})
}

// FuzzUsername has no name that is not what was put in.
func FuzzUsername(f *testing.F) {
	for _, username := range []string{"1700000000:user", "1700000000", ":", "x:y"} {
		f.Add(username)
	}
	f.Fuzz(func(t *testing.T, username string) {
		expires, name, ok := splitUsername(username)
		if !ok {
			return
		}
		again, sameName, ok := splitUsername(timestamp(expires) + ":" + name)
		if !ok && len(username) < maxUsernameBytes || ok && (!again.Equal(expires) || sameName != name) {
			t.Errorf("%q is %v, %q", username, expires, name)
		}
	})
}
