package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/authority"
)

// answer is what a server says to a request, in pieces. Without any it says nothing.
type answer func(request *stun.Message) [][]byte

func binds(request *stun.Message) [][]byte {
	return [][]byte{stun.MustBuild(request, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(192, 0, 2, 1), Port: 7}, stun.Fingerprint).Raw}
}

// bitByBit is an answer that TCP brings a byte at a time.
func bitByBit(request *stun.Message) (pieces [][]byte) {
	for _, b := range binds(request)[0] {
		pieces = append(pieces, []byte{b})
	}
	return pieces
}

func refuses(request *stun.Message) [][]byte {
	return [][]byte{stun.MustBuild(request, stun.BindingError, stun.CodeUnauthorized).Raw}
}

func ofAnother(request *stun.Message) [][]byte {
	other := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	if other.TransactionID == request.TransactionID {
		panic("two transactions have one ID")
	}
	return binds(other)
}

func tooLong(request *stun.Message) [][]byte {
	raw := binds(request)[0]
	raw[2], raw[3] = 0xff, 0xfc
	return [][]byte{raw, make([]byte, 0xfffc)}
}

func cutShort(request *stun.Message) [][]byte {
	raw := binds(request)[0]
	return [][]byte{raw[:len(raw)-1]}
}

func speaksHTTP(*stun.Message) [][]byte {
	return [][]byte{[]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request")}
}

func hangsUp(*stun.Message) [][]byte { return [][]byte{nil} }

func saysNothing(*stun.Message) [][]byte { return nil }

// server answers until the test ends.
type server struct {
	*testing.T
	say answer

	mu sync.Mutex
	// Guarded by mu.
	asked int
}

func (s *server) answers(raw []byte) [][]byte {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	request := &stun.Message{Raw: raw}
	if err := request.Decode(); err != nil || request.Type != stun.BindingRequest || stun.Fingerprint.Check(request) != nil {
		s.Errorf("asked is %x: %v", raw, err)
		return nil
	}
	return s.say(request)
}

// packets serves UDP, and returns its address.
func (s *server) packets() string {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	var ended sync.WaitGroup
	ended.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := socket.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, piece := range s.answers(slices.Clone(buf[:n])) {
				socket.WriteTo(piece, from)
			}
		}
	})
	s.Cleanup(func() { socket.Close(); ended.Wait() })
	return socket.LocalAddr().String()
}

// streams serves TCP, or TLS with a configuration, and returns its address.
func (s *server) streams(config *tls.Config) string {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	address := listener.Addr().String()
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	var ended sync.WaitGroup
	ended.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			ended.Go(func() {
				defer conn.Close()
				request := make([]byte, 28) // a header and a fingerprint
				if _, err := io.ReadFull(conn, request); err != nil {
					return // its client has not trusted the certificate
				}
				pieces := s.answers(request)
				for _, piece := range pieces {
					conn.Write(piece)
				}
				if pieces == nil || len(pieces) > 1 {
					io.Copy(io.Discard, conn) // whoever asked closes the connection
				}
			})
		}
	})
	s.Cleanup(func() { listener.Close(); ended.Wait() })
	return address
}

// certified is a configuration of servers at this address, and of those that trust it.
func certified(t *testing.T, host string) (server, client *tls.Config) {
	t.Helper()
	now := time.Now()
	authorities, err := authority.Authorities{}.Renew("demo", now)
	if err != nil {
		t.Fatal(err)
	}
	made, err := authority.Certificate{}.Renew(authorities, []string{host}, now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(made.Certificate, made.Key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authorities.Certificates)
	return &tls.Config{Certificates: []tls.Certificate{pair}}, &tls.Config{RootCAs: roots}
}

func TestReachTURN(t *testing.T) {
	secure, trusts := certified(t, "127.0.0.1")
	elsewhere, trustsElsewhere := certified(t, "192.0.2.1")
	const nobody = "127.0.0.1:1" // no program listens on tcpmux
	for name, c := range map[string]struct {
		kind   string // a URL, with %s for the server
		say    answer
		trusts *tls.Config
		reason v1.SeedReason // empty is reached
		text   string
	}{
		"UDP":                           {"stun:%s", binds, trusts, "", ""},
		"UDP, with another's answer":    {"stun:%s", func(m *stun.Message) [][]byte { return append(ofAnother(m), binds(m)...) }, trusts, "", ""},
		"UDP, of TURN":                  {"turn:%s?transport=udp", binds, trusts, "", ""},
		"UDP, nobody":                   {"stun:" + nobody, nil, trusts, v1.SeedSTUNFailed, "(connection refused): is the UDP port open"},
		"UDP, silence":                  {"turn:%s?transport=udp", saysNothing, trusts, v1.SeedSTUNFailed, "(nothing within 10s): is the UDP port open"},
		"TCP":                           {"turn:%s?transport=tcp", binds, trusts, "", ""},
		"TCP, bit by bit":               {"turn:%s?transport=tcp", bitByBit, trusts, "", ""},
		"TCP, nobody":                   {"turn:" + nobody + "?transport=tcp", nil, trusts, v1.SeedTURNFailed, "(connection refused): is the port open"},
		"TCP, silence":                  {"turn:%s?transport=tcp", saysNothing, trusts, v1.SeedTURNFailed, "(nothing within 10s): is the port open"},
		"TCP, something that hangs up":  {"turn:%s?transport=tcp", hangsUp, trusts, v1.SeedTURNFailed, "is no TURN server (it hangs up)"},
		"TCP, an end in the middle":     {"turn:%s?transport=tcp", cutShort, trusts, v1.SeedTURNFailed, "is no TURN server (it hangs up)"},
		"TCP, HTTP":                     {"turn:%s?transport=tcp", speaksHTTP, trusts, v1.SeedTURNFailed, "is no TURN server (no answer of STUN)"},
		"TCP, another's answer":         {"turn:%s?transport=tcp", ofAnother, trusts, v1.SeedTURNFailed, "is no TURN server (no answer of STUN)"},
		"TCP, an error":                 {"turn:%s?transport=tcp", refuses, trusts, v1.SeedTURNFailed, "is no TURN server (no answer of STUN)"},
		"TCP, too much":                 {"turn:%s?transport=tcp", tooLong, trusts, v1.SeedTURNFailed, "is no TURN server (no answer of STUN)"},
		"TLS":                           {"turns:%s?transport=tcp", binds, trusts, "", ""},
		"TLS, nobody":                   {"turns:" + nobody + "?transport=tcp", nil, trusts, v1.SeedTURNFailed, "(connection refused): is the port open"},
		"TLS, HTTP":                     {"turns:%s?transport=tcp", speaksHTTP, trusts, v1.SeedTURNFailed, "pass on what is not HTTP"},
		"TLS, of another authority":     {"turns:%s?transport=tcp", nil, &tls.Config{RootCAs: x509.NewCertPool()}, v1.SeedTURNFailed, "unknown authority"},
		"TLS, of another host":          {"turns:%s?transport=tcp", nil, trustsElsewhere, v1.SeedTURNFailed, "valid for 192.0.2.1"},
		"a name that is none":           {"turn:seed.invalid:3478?transport=tcp", nil, trusts, v1.SeedTURNFailed, "make the DNS record"},
		"a name that is none, with UDP": {"stun:seed.invalid:3478", nil, trusts, v1.SeedSTUNFailed, "make the DNS record"},
		"DTLS":                          {"turns:127.0.0.1:1?transport=udp", nil, trusts, v1.SeedTURNFailed, "not tried"},
		"no URL of TURN":                {"https://127.0.0.1", nil, trusts, v1.SeedTURNFailed, "https://127.0.0.1: "},
	} {
		t.Run(name, func(t *testing.T) {
			url := c.kind
			if strings.Contains(url, "%s") {
				s := &server{T: t, say: c.say}
				config := secure
				if c.trusts == trustsElsewhere {
					config = elsewhere
				}
				switch {
				case strings.HasPrefix(url, "turns:"):
					url = fmt.Sprintf(url, s.streams(config))
				case strings.HasSuffix(url, "tcp"):
					url = fmt.Sprintf(url, s.streams(nil))
				default:
					url = fmt.Sprintf(url, s.packets())
				}
			}
			ctx := t.Context()
			if strings.Contains(c.text, "nothing within") {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			silent, err := reachTURN(ctx, []string{url}, c.trusts)
			if c.reason == "" {
				if err != nil || silent != nil {
					t.Errorf("%s is silent: %v", silent, err)
				}
				return
			}
			failed, ok := err.(*failure)
			if !ok || failed.reason != c.reason || !strings.Contains(failed.text, c.text) || !strings.Contains(failed.text, url) || !slices.Equal(silent, []string{url}) {
				t.Errorf("got %q and %+v, want %s and %q", silent, err, c.reason, c.text)
			}
		})
	}
}

// A server is asked once, however many URLs lead to it, and those at which nobody
// answers are told in their order.
func TestReachTURNOnce(t *testing.T) {
	secure, trusts := certified(t, "127.0.0.1")
	udp, tcp, hidden := &server{T: t, say: binds}, &server{T: t, say: binds}, &server{T: t, say: binds}
	by := []string{udp.packets(), tcp.streams(nil), hidden.streams(secure)}
	urls := []string{
		"stun:" + by[0], "turn:" + by[0] + "?transport=udp",
		"turn:127.0.0.1:1?transport=tcp", "turn:" + by[1] + "?transport=tcp",
		"turns:127.0.0.1:1?transport=tcp", "turns:" + by[2] + "?transport=tcp", "turns:" + by[2],
	}
	silent, err := reachTURN(t.Context(), urls, trusts)
	if want := []string{urls[2], urls[4]}; !slices.Equal(silent, want) || err == nil || !strings.Contains(err.Error(), urls[2]) {
		t.Errorf("silent are %q, want %q; told is %v", silent, want, err)
	}
	for name, s := range map[string]*server{"UDP": udp, "TCP": tcp, "TLS": hidden} {
		s.mu.Lock()
		if asked := s.asked; asked != 1 {
			t.Errorf("by %s it was asked %d times", name, asked)
		}
		s.mu.Unlock()
	}
	if silent, err := reachTURN(t.Context(), nil, trusts); silent != nil || err != nil {
		t.Errorf("without a server, silent are %q: %v", silent, err)
	}
}

func TestSightings(t *testing.T) {
	at := func(reason v1.SeedReason, silent ...string) Sighting {
		return Sighting{Reason: reason, Silent: silent, Reachable: reason != v1.SeedNotProbed}
	}
	nowhere := func(reason v1.SeedReason, silent ...string) Sighting { return Sighting{Reason: reason, Silent: silent} }
	for name, c := range map[string]struct {
		before, now  Sighting
		loses, equal bool
	}{
		"the same":             {at(v1.SeedReached), at(v1.SeedReached), false, true},
		"the same silence":     {at(v1.SeedTURNFailed, "a"), at(v1.SeedTURNFailed, "a"), false, true},
		"TURN falls silent":    {at(v1.SeedReached), at(v1.SeedTURNFailed, "a"), true, false},
		"more of it does":      {at(v1.SeedTURNFailed, "a"), at(v1.SeedTURNFailed, "a", "b"), true, false},
		"another of it does":   {at(v1.SeedTURNFailed, "a"), at(v1.SeedTURNFailed, "b"), true, false},
		"some of it answers":   {at(v1.SeedTURNFailed, "a", "b"), at(v1.SeedTURNFailed, "b"), false, false},
		"an address does":      {at(v1.SeedReached), at(v1.SeedDialFailed, "a"), true, false},
		"another address does": {at(v1.SeedDialFailed, "a"), at(v1.SeedTLSFailed, "b"), true, false},
		"an address is again":  {at(v1.SeedDialFailed, "a", "b"), at(v1.SeedDialFailed, "b"), false, false},
		"the seed is not":      {at(v1.SeedTURNFailed, "a"), nowhere(v1.SeedDialFailed, "a"), true, false},
		"the seed is again":    {nowhere(v1.SeedDialFailed), at(v1.SeedSTUNFailed, "a"), false, false},
		"somewhere":            {nowhere(v1.SeedDialFailed, "a"), at(v1.SeedDialFailed, "a"), false, false},
		"the first time":       {at(v1.SeedNotProbed), nowhere(v1.SeedDialFailed, "a"), false, false},
		"fails in another way": {nowhere(v1.SeedDialFailed), nowhere(v1.SeedTLSFailed), false, false},
		"with a certificate":   {at(v1.SeedTLSFailed, "a"), Sighting{Reason: v1.SeedTLSFailed, Silent: []string{"a"}, Untrusted: []string{"a"}, Reachable: true}, false, false},
		"with other words":     {Sighting{Reason: v1.SeedReached, Message: "a", Reachable: true}, at(v1.SeedReached), false, false},
	} {
		if loses, equal := c.before.Loses(c.now), c.before.Equal(c.now); loses != c.loses || equal != c.equal {
			t.Errorf("%s: loses %v, equal %v", name, loses, equal)
		}
	}
}
