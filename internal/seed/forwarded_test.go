package seed

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestOrigin(t *testing.T) {
	trusted := mustParseProxies(t, "10.0.0.0/8", "2001:db8:a::/48")
	const proxy, stranger = "10.0.0.1:1111", "192.0.2.66:1111"
	for _, c := range []struct {
		name, sender string
		lists        []string
		want         string
	}{
		{"no list", proxy, nil, proxy},
		{"an empty list", proxy, []string{""}, proxy},
		{"one client", proxy, []string{"192.0.2.1"}, "192.0.2.1:0"},
		{"spaces", proxy, []string{"\t 192.0.2.1 "}, "192.0.2.1:0"},
		{"IPv6", proxy, []string{"2001:db8:b::1"}, "[2001:db8:b::1]:0"},
		{"IPv6 in brackets", proxy, []string{"[2001:db8:b::1]"}, "[2001:db8:b::1]:0"},
		{"with a port", proxy, []string{"192.0.2.1:5000"}, "192.0.2.1:5000"},
		{"IPv6 with a port", proxy, []string{"[2001:db8:b::1]:5000"}, "[2001:db8:b::1]:5000"},
		{"IPv4 in IPv6", proxy, []string{"::ffff:192.0.2.1"}, "192.0.2.1:0"},
		{"what the client wrote is left of it", proxy, []string{"203.0.113.1, 192.0.2.1"}, "192.0.2.1:0"},
		{"another trusted proxy on the way", proxy, []string{"203.0.113.1, 192.0.2.1, 10.9.9.9"}, "192.0.2.1:0"},
		{"two, one of them on IPv6", proxy, []string{"203.0.113.1, 192.0.2.1, 2001:db8:a::5, ::ffff:10.9.9.9"}, "192.0.2.1:0"},
		{"several lists are one", proxy, []string{"203.0.113.1", "192.0.2.1", "10.9.9.9, 10.8.8.8"}, "192.0.2.1:0"},
		{"a client in a trusted network", proxy, []string{"10.7.7.7, 10.9.9.9"}, "10.7.7.7:0"},
		{"a trusted address that the client wrote", proxy, []string{"10.7.7.7, 192.0.2.1"}, "192.0.2.1:0"},
		{"a proxy that does not know", proxy, []string{"203.0.113.1, unknown"}, proxy},
		{"one that does not know farther away", proxy, []string{"203.0.113.1, unknown, 10.9.9.9"}, "10.9.9.9:0"},
		{"an empty element", proxy, []string{"203.0.113.1, "}, proxy},
		{"no client's address", proxy, []string{"0.0.0.0"}, proxy},
		{"no client's address either", proxy, []string{"224.0.0.1"}, proxy},
		{"an address with a zone", proxy, []string{"fe80::1%eth0"}, proxy},
		{"a port that is none", proxy, []string{"192.0.2.1:99999"}, proxy},
		{"a name", proxy, []string{"localhost"}, proxy},
		{"a stranger's list", stranger, []string{"192.0.2.1"}, stranger},
		{"a stranger's list that names a proxy", stranger, []string{"192.0.2.1, 10.0.0.1"}, stranger},
		{"a long one", proxy, []string{strings.Repeat("10.0.0.2,", 1000) + "192.0.2.1"}, "192.0.2.1:0"},
		{"a long one of proxies", proxy, []string{"192.0.2.1" + strings.Repeat(",10.0.0.2", 1000)}, "192.0.2.1:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := trusted.origin(netip.MustParseAddrPort(c.sender), c.lists); got.String() != c.want {
				t.Errorf("origin is %v, want %s", got, c.want)
			}
		})
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("203.0.113.1, 192.0.2.1, 10.9.9.9")
	f.Add("[2001:db8::1]:1, 10.0.0.1:65535")
	f.Add("::ffff:10.0.0.1,,unknown")
	trusted := mustParseProxies(f, "10.0.0.0/8")
	sender := netip.MustParseAddrPort("10.0.0.1:1")
	f.Fuzz(func(t *testing.T, list string) {
		got := trusted.origin(sender, []string{list})
		if got != sender && !isClient(got.Addr()) {
			t.Errorf("origin of %q is %v", list, got)
		}
		// A client writes what it likes to the left of where it is seen.
		if got := trusted.origin(sender, []string{list + ",192.0.2.1,10.2.2.2"}); got.String() != "192.0.2.1:0" {
			t.Errorf("with %q in front, the origin is %v", list, got)
		}
		if got := trusted.origin(sender, []string{list, "192.0.2.1"}); got.String() != "192.0.2.1:0" {
			t.Errorf("with %q in a list in front, the origin is %v", list, got)
		}
	})
}

// TestAttributedForEachRequest sends requests of several clients on one
// connection, as proxies do.
func TestAttributedForEachRequest(t *testing.T) {
	c := &conn{headed: headed{Conn: addrConn{addr: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1111}}}}
	var seen string
	handler := attributed(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.RemoteAddr }), mustParseProxies(t, "10.0.0.0/8"))
	for _, step := range []struct{ list, want string }{
		{"192.0.2.1", "192.0.2.1:0"}, {"192.0.2.2:5", "192.0.2.2:5"}, {"", "10.0.0.1:1111"}, {"192.0.2.3", "192.0.2.3:0"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(withConn(t.Context(), c))
		r.RemoteAddr = "10.0.0.1:1111"
		if step.list != "" {
			r.Header.Set("X-Forwarded-For", step.list)
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if got := c.RemoteAddr().String(); seen != step.want || got != step.want {
			t.Errorf("%q: request is from %s, connection from %s, want %s", step.list, seen, got, step.want)
		}
	}
}

// addrConn is a connection with nothing but an address.
type addrConn struct {
	net.Conn
	addr net.Addr
}

func (c addrConn) RemoteAddr() net.Addr { return c.addr }
