package clients

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
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

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
