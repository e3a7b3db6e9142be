package check

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pion/stun"
)

// way is how a STUN or TURN server is reached.
type way string

const (
	bySTUN way = "stun" // over UDP, without a relay
	byUDP  way = "udp"
	byTCP  way = "tcp"
	byTLS  way = "tls"
)

// iceServer is one URL of the list, with its credentials.
type iceServer struct {
	url                  string
	uri                  *stun.URI
	username, credential string
}

// addr is host and port, as a dialer takes them.
func (s iceServer) addr() string { return net.JoinHostPort(s.uri.Host, strconv.Itoa(s.uri.Port)) }

// iceAnswer is what /ice answers.
type iceAnswer struct {
	ICEServers []struct {
		URLs       []string `json:"urls"`
		Username   string   `json:"username"`
		Credential string   `json:"credential"`
	} `json:"iceServers"`
	TTL int `json:"ttl"`
}

// maxICEServers is how many servers of each kind are tried.
const maxICEServers = 4

// ice asks for the STUN and TURN servers.
func (c *Check) ice(ctx context.Context) Step {
	var answer iceAnswer
	if err := c.get(ctx, "/ice", &answer); err != nil {
		if codeOf(err) == http.StatusNotFound {
			return failed("Peers that find no direct way to each other do not meet. Does the seed run with --turn-listen off? If that is meant, leave this out with --skip ice. "+
				"A proxy in front of the seed has to pass /ice on.", "the seed has no TURN: %s", reason(err))
		}
		return failed(c.httpHint(err), "%s", c.why(err))
	}
	c.servers = make(map[way][]iceServer)
	found := 0
	for _, server := range answer.ICEServers {
		for _, url := range server.URLs {
			uri, err := stun.ParseURI(url)
			if err != nil {
				return failed("Browsers refuse the whole list for this.", "%q is no STUN or TURN server: %s", printable(url), reason(err))
			}
			kind, is := wayOf(uri)
			if !is || len(c.servers[kind]) == maxICEServers {
				continue
			}
			c.servers[kind] = append(c.servers[kind], iceServer{url, uri, server.Username, server.Credential})
			found++
		}
	}
	if found == 0 {
		return failed(c.httpHint(errNotJSON), "the answer names no server that this program knows to use")
	}
	return ok("%s; credentials for %s", c.offered(), span(time.Duration(answer.TTL)*time.Second))
}

// offered are the servers, by way, and once their host if they have the same one.
func (c *Check) offered() string {
	var parts []string
	hosts := make(map[string]bool)
	for _, w := range []way{bySTUN, byUDP, byTCP, byTLS} {
		for _, s := range c.servers[w] {
			hosts[s.uri.Host] = true
			parts = append(parts, printable(fmt.Sprintf("%v %s:%s", s.uri.Scheme, s.uri.Host, s.port(w))))
		}
	}
	text := strings.Join(parts, ", ")
	if len(hosts) > 1 {
		return text
	}
	for host := range hosts {
		text = strings.ReplaceAll(text, " "+printable(host)+":", " ") + " at " + printable(host)
	}
	return text
}

// span is a time without zeros at its end.
func span(d time.Duration) string {
	return strings.Replace(strings.Replace(d.String(), "m0s", "m", 1), "h0m", "h", 1)
}

// wayOf tells how a server is reached, unless it is in a way that nobody uses.
func wayOf(uri *stun.URI) (way, bool) {
	switch {
	case uri.Scheme == stun.SchemeTypeSTUN && uri.Proto == stun.ProtoTypeUDP:
		return bySTUN, true
	case uri.Scheme == stun.SchemeTypeTURN && uri.Proto == stun.ProtoTypeUDP:
		return byUDP, true
	case uri.Scheme == stun.SchemeTypeTURN && uri.Proto == stun.ProtoTypeTCP:
		return byTCP, true
	case uri.Scheme == stun.SchemeTypeTURNS && uri.Proto == stun.ProtoTypeTCP:
		return byTLS, true
	}
	return "", false
}

// port says which port has to be open for a server.
func (s iceServer) port(w way) string {
	if w == byUDP || w == bySTUN {
		return fmt.Sprintf("%d/udp", s.uri.Port)
	}
	return fmt.Sprintf("%d/tcp", s.uri.Port)
}
