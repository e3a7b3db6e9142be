package clients

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// Endpoint is where a node accepts.
type Endpoint struct {
	Transport string // websocket, tcp or webrtc
	Host      string
	Port      int
	Secure    bool   // with TLS
	Token     string // to present there
}

// Over returns the endpoint for one of the transports of a port.
func (e Endpoint) Over(transport string) Endpoint {
	e.Transport = transport
	return e
}

// ParseEndpoint reads an address as seeds publish it, such as wss://192.0.2.1:8443.
func ParseEndpoint(address string) (Endpoint, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Endpoint{}, err
	}
	e := Endpoint{Host: u.Hostname()}
	switch u.Scheme {
	case "ws", "wss":
		e.Transport, e.Secure = "websocket", u.Scheme == "wss"
	case "tcp", "tls":
		e.Transport, e.Secure = "tcp", u.Scheme == "tls"
	default:
		return Endpoint{}, fmt.Errorf("%s: nodes dial no %s", address, u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
	}
	if e.Port, err = strconv.Atoi(port); err != nil {
		return Endpoint{}, fmt.Errorf("%s has no port", address)
	}
	return e, nil
}

// Nodes accept at ports below those that outgoing connections get by themselves (32768
// and up on Linux), and none gets the same one twice. Where they begin is drawn, for
// another test that runs beside this one.
const firstPort, ports = 20000, 10000

var portsGiven atomic.Uint32

func init() { portsGiven.Store(rand.Uint32N(ports)) }

// onFreePort has a node accept at a port of this machine that nobody listens at. The
// published clients take no port 0, and of others nobody is told which one they got. By
// the time that it is used a port may be another test's, then it is another one.
func onFreePort(accept func(port int) error) error {
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		err = accept(port)
		isTaken := errors.Is(err, syscall.EADDRINUSE) || err != nil && strings.Contains(err.Error(), "EADDRINUSE") // as Node says it
		if !isTaken || attempt == 5 {
			return err
		}
	}
}

// freePort returns a port of this machine that nobody listens at.
func freePort() (int, error) {
	var taken error
	for range ports {
		port := firstPort + int(portsGiven.Add(1)%ports)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
		taken = err
	}
	return 0, fmt.Errorf("no port is free: %w", taken)
}
