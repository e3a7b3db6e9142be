package seed

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// reached is where a client has reached the seed, as far as it has said so.
type reached struct {
	host string // as a URL has it, or empty
	port string // of the port with TLS, or empty
}

// reachedBy is where a request was made to. What an HTTP proxy passes on tells
// where the proxy is, and not where the seed is.
func reachedBy(r *http.Request) reached {
	if r.Header.Get("X-Forwarded-For") != "" {
		return reached{}
	}
	host, port, ok := splitHost(r.Host)
	if !ok {
		return reached{}
	}
	if c, ok := r.Context().Value(connKey{}).(*conn); ok && !c.secure {
		port = ""
	}
	return reached{strings.Clone(host), strings.Clone(port)} // without the request around them
}

// reachedByPeer is where a peer has connected to: with a websocket, it named that
// in its request, and else with TLS perhaps in the handshake.
func reachedByPeer(p *exchange.Peer) reached {
	switch socket := p.Socket().(type) {
	case *websocket.Conn:
		if c, ok := socket.NetConn().(*conn); ok {
			return c.reached
		}
	case *conn:
		secure, ok := socket.Conn.(*tls.Conn)
		if !ok {
			break
		}
		if name := strings.ToLower(secure.ConnectionState().ServerName); isHostName(name) {
			return reached{host: name}
		}
	}
	return reached{}
}

// splitHost takes a Host header apart. Without a port it is that of HTTPS. It is
// false for what no URL can have.
func splitHost(header string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(header)
	if err != nil {
		host, port = header, "443"
		if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
			host = host[1 : n-1]
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return inURL(ip.Unmap()), port, true
	}
	host = strings.ToLower(host)
	return host, port, isHostName(host)
}
