package exchange

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// urlSchemes says which transport an address means.
var urlSchemes = []struct {
	scheme    string
	transport string
	secure    bool
	port      int // 0 if the address must name one
}{
	{"ws", transports.WebSocket, false, 80},
	{"wss", transports.WebSocket, true, 443},
	{"tcp", transports.TCP, false, 0},
	{"tls", transports.TCP, true, 0},
}

// target is an address taken apart.
type target struct {
	transport, host string
	port            int
	secure          bool
}

func parseURL(address string) (target, error) {
	u, err := url.Parse(address)
	if err != nil {
		return target{}, err
	}
	var a target
	for _, s := range urlSchemes {
		if s.scheme == strings.ToLower(u.Scheme) {
			a = target{s.transport, u.Hostname(), s.port, s.secure}
		}
	}
	switch {
	case a.transport == "" || a.host == "":
		return target{}, fmt.Errorf("address %q: want ws://, wss://, tcp:// or tls://, a host, and a port", address)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return target{}, fmt.Errorf("address %q: want a scheme, a host and a port, and nothing else", address)
	}
	if u.Port() != "" {
		if a.port, err = strconv.Atoi(u.Port()); err != nil || a.port < 1 || a.port > 65535 {
			return target{}, fmt.Errorf("address %q: the port is not one from 1 to 65535", address)
		}
	}
	if a.port == 0 {
		return target{}, fmt.Errorf("address %q: %s needs a port", address, u.Scheme)
	}
	return a, nil
}

// formatURL is the address of what was dialed, or empty for a transport that has
// no scheme.
func formatURL(transport, host string, opts transports.Options) string {
	for _, s := range urlSchemes {
		if s.transport == transport && s.secure == opts.Secure {
			return s.scheme + "://" + net.JoinHostPort(host, strconv.Itoa(opts.Port))
		}
	}
	return ""
}
