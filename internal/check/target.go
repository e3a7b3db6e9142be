package check

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// target is a seed's address.
type target struct {
	host   string // without brackets
	port   int
	secure bool // TLS
	raw    bool // the exchange's protocol without a websocket
}

// defaultPort is that of a URL without one, by whether it is with TLS: the
// published clients', and a browser's.
func defaultPort(secure bool) int {
	if secure {
		return 443
	}
	return 80
}

// parseTarget reads an address in any of the forms that people have at hand: as
// clients take it, as a browser takes it, or a host with or without a port.
func parseTarget(text string) (target, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "wss://" + text
	}
	u, err := url.Parse(full)
	if err != nil {
		// It repeats the address.
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return target{}, fmt.Errorf("%q: %w", text, err)
	}
	t := target{host: u.Hostname()}
	switch strings.ToLower(u.Scheme) {
	case "wss", "https":
		t.secure = true
	case "ws", "http":
	case "tls":
		t.secure, t.raw = true, true
	case "tcp":
		t.raw = true
	default:
		return target{}, fmt.Errorf("%q: want wss://, ws://, tls://, tcp://, https:// or http://, or a host with or without a port", text)
	}
	switch {
	case t.host == "":
		return target{}, fmt.Errorf("%q has no host", text)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return target{}, fmt.Errorf("%q has more than a host and a port: clients know no path", text)
	case u.Port() != "":
		if t.port, err = strconv.Atoi(u.Port()); err != nil || t.port < 1 || t.port > 65535 {
			return target{}, fmt.Errorf("%q: the port is not one from 1 to 65535", text)
		}
	case t.raw:
		return target{}, fmt.Errorf("%q has no port: %s:// needs one, such as %s://%s:8443", text, u.Scheme, u.Scheme, u.Host)
	default:
		t.port = defaultPort(t.secure)
	}
	return t, nil
}

// addr is host and port, as a dialer takes them.
func (t target) addr() string { return net.JoinHostPort(t.host, strconv.Itoa(t.port)) }

// url is the address as clients take it.
func (t target) url() string {
	scheme := [2][2]string{{"ws", "wss"}, {"tcp", "tls"}}[index(t.raw)][index(t.secure)]
	return scheme + "://" + t.addr()
}

// api is where the seed answers HTTP.
func (t target) api(path string) string {
	return [2]string{"http", "https"}[index(t.secure)] + "://" + t.addr() + path
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ip is the host, if it is an address and no name.
func (t target) ip() (netip.Addr, bool) {
	ip, err := netip.ParseAddr(t.host)
	return ip, err == nil
}
