package exchange

import (
	"errors"
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
	token           string
}

// parseURL reads an address. Errors do not show its token.
func parseURL(address string) (target, error) {
	u, err := url.Parse(address)
	address, _, _ = strings.Cut(address, "?")
	var failed *url.Error
	if errors.As(err, &failed) {
		return target{}, fmt.Errorf("address %q: %w", address, failed.Err)
	}
	if err != nil {
		return target{}, err
	}
	var a target
	for _, s := range urlSchemes {
		if s.scheme == strings.ToLower(u.Scheme) {
			a = target{transport: s.transport, host: u.Hostname(), port: s.port, secure: s.secure}
		}
	}
	switch {
	case a.transport == "" || a.host == "":
		return target{}, fmt.Errorf("address %q: want ws://, wss://, tcp:// or tls://, a host, and a port", address)
	case u.Path != "" && u.Path != "/" || u.Fragment != "" || u.User != nil:
		return target{}, fmt.Errorf("address %q: want a scheme, a host and a port, and nothing else but ?token=", address)
	}
	if u.RawQuery != "" {
		query, err := url.ParseQuery(u.RawQuery)
		if err != nil || len(query) != 1 || len(query["token"]) != 1 || query.Get("token") == "" {
			return target{}, fmt.Errorf("address %q: after the question mark want one token=, percent-encoded, and nothing else", address)
		}
		a.token = query.Get("token")
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

// CheckURL tells what is wrong with an address, as ConnectURL takes it, that others
// are to be told: it has no token.
func CheckURL(address string) error {
	a, err := parseURL(address)
	if err == nil && a.token != "" {
		err = errToldToken
	}
	return err
}
