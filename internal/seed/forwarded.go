package seed

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// connKey is where a request's context has the connection that it came on.
type connKey struct{}

// withConn is for http.Server.ConnContext.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// attributed lets a handler see whom a request is from that a trusted proxy has
// passed on: in the request, and in its connection for whoever takes it over. A
// proxy may send requests of several clients on one connection.
func attributed(next http.Handler, trusted proxies) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// This is the other end of the connection for each of its requests.
		sender, err := netip.ParseAddrPort(r.RemoteAddr)
		if err == nil && trusted.trust(sender.Addr()) {
			from := trusted.origin(sender, r.Header["X-Forwarded-For"])
			r.RemoteAddr = from.String()
			if c, ok := r.Context().Value(connKey{}).(*conn); ok {
				c.client.Store(net.TCPAddrFromAddrPort(from))
			}
		}
		next.ServeHTTP(w, r)
	})
}

// origin returns whom a request is from. Each proxy that it went through has
// added, at the end of lists, where it had it from. As long as that is another
// trusted proxy, what is left of it is true; whatever a client has written itself
// is to the left of its own address. A port is zero unless it was said.
func (p proxies) origin(sender netip.AddrPort, lists []string) netip.AddrPort {
	for i := len(lists) - 1; i >= 0; i-- {
		for list, more := lists[i], true; more && p.trust(sender.Addr()); {
			var last string
			list, last, more = cutLast(list)
			from, ok := parseForwarded(last)
			if !ok {
				return sender // who does not know whom it has the request from
			}
			sender = from
		}
	}
	return sender
}

// cutLast takes the last element off a list.
func cutLast(list string) (before, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// parseForwarded reads an address, to which some proxies add the port.
func parseForwarded(text string) (netip.AddrPort, bool) {
	text = strings.TrimSpace(text)
	from, err := netip.ParseAddrPort(text)
	if err != nil {
		ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
		if err != nil {
			return netip.AddrPort{}, false
		}
		from = netip.AddrPortFrom(ip, 0)
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	return from, isClient(from.Addr())
}

// isClient tells whether a connection can be from an address.
func isClient(ip netip.Addr) bool {
	return ip.IsValid() && !ip.IsUnspecified() && !ip.IsMulticast() && ip.Zone() == ""
}
