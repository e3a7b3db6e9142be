package seed

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/peerexchange/peerexchange/internal/turn"
)

// maxHostsShown is how many addresses of a machine are shown for each port:
// machines with containers have dozens.
const maxHostsShown = 4

// urls are the ways to a port under one name, as exchange.ConnectURL takes them.
func (p port) urls(host string) []string {
	web, raw := "ws", "tcp"
	if p.tls != nil {
		web, raw = "wss", "tls"
	}
	number := strconv.Itoa(p.number())
	return []string{web + "://" + host + ":" + number, raw + "://" + host + ":" + number}
}

// number is the port's, 0 if it has none.
func (p port) number() int {
	if addr, ok := p.listener.Addr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}

// Welcome is what a person who started the seed wants to know: where it listens,
// how to trust it, and how to connect.
func (s *Seed) Welcome() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Seed of the network %q is ready (%s).\n\n", s.config.NetworkID, s.agent())
	s.welcomePorts(&b)
	s.welcomeCertificate(&b)
	s.welcomeClients(&b)
	return b.String()
}

func (s *Seed) welcomePorts(b *strings.Builder) {
	var rows [][]string
	width := 0
	for _, p := range s.ports {
		shown := p.hosts.all()
		more := 0
		if len(shown) > maxHostsShown {
			more = len(shown) - maxHostsShown
			shown = shown[:maxHostsShown]
		}
		for _, host := range shown {
			row := p.urls(host)
			width = max(width, len(row[0]))
			rows = append(rows, row)
		}
		if more > 0 {
			rows = append(rows, []string{fmt.Sprintf("(and %d more addresses of this machine)", more), ""})
		}
	}
	for _, row := range rows {
		fmt.Fprintln(b, strings.TrimRight(fmt.Sprintf("  %-*s   %s", width, row[0], row[1]), " "))
	}
	if s.webrtc != nil {
		fmt.Fprintf(b, "  webrtc through UDP port %d\n", s.webrtcPort())
	}
	if s.members != nil {
		fmt.Fprintln(b, "  for members only: who comes without a token that is good is turned away")
	}
	if s.turn != nil {
		s.welcomeTURN(b)
	}
	if s.admin != nil {
		fmt.Fprintf(b, "  for you only: http://%v (/metrics, /status, /peers)\n", s.admin.listener.Addr())
	}
}

// welcomeTURN tells about TURN, and to whom it is of use.
func (s *Seed) welcomeTURN(b *strings.Builder) {
	relay := s.turn.relay.Announce
	fmt.Fprintf(b, "  turn through UDP port %s, TCP port %s and the ports above; credentials at /ice\n",
		listened(s.turn.server.Addrs(turn.TransportUDP)), listened(s.turn.tcp()))
	fmt.Fprintf(b, "       it relays at %v, UDP ports %s\n", relay, s.config.TURNRelayPorts)
	const hint = "       for others, say how they reach this machine: --external-ip or --turn-relay-ip"
	switch reachOf(relay) {
	case reachMachine:
		fmt.Fprintf(b, "       which is of use on this machine only;\n%s\n", hint)
	case reachNetwork:
		fmt.Fprintf(b, "       which is of use in this machine's network only;\n%s\n", hint)
	}
}

// listened are the ports of addresses.
func listened(addrs []net.Addr) string {
	var ports []string
	for _, addr := range addrs {
		ports = appendNew(ports, portOf(addr))
	}
	return strings.Join(ports, ", ")
}

// all are the hosts without repetition, those of this machine first.
func (h hosts) all() []string {
	out := slices.Clone(h.local)
	for _, host := range h.public {
		if !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

func (s *Seed) webrtcPort() int {
	for _, addr := range s.webrtc.Addrs() {
		if udp, ok := addr.(*net.UDPAddr); ok {
			return udp.Port
		}
	}
	return 0
}

func (s *Seed) welcomeCertificate(b *strings.Builder) {
	c := s.certificate
	if c == nil {
		return
	}
	if c.trust == "" {
		fmt.Fprintf(b, "\nCertificate %s, good until %s\n", s.config.TLSCert, c.leaf().NotAfter.Format("2006-01-02"))
	} else {
		how := "kept"
		if c.made {
			how = "just made"
		}
		fmt.Fprintf(b, "\nCertificate, self-signed, %s, for clients to trust:\n  %s\n", how, c.trust)
	}
	fmt.Fprintf(b, "  SHA-256 %s\n", c.fingerprint())
}

func (s *Seed) welcomeClients(b *strings.Builder) {
	// Without TLS is easier to try.
	p := s.ports[len(s.ports)-1]
	host := p.hosts.all()[0]
	secure, token, port := "", "", strconv.Itoa(p.number())
	if s.members != nil {
		token = "?token=TOKEN"
		port = "'" + port + "/" + token + "'"
	}
	trust := func(variable string) {}
	if p.tls != nil {
		secure = ", secure: true"
		if s.certificate.trust != "" {
			trust = func(variable string) {
				fmt.Fprintf(b, "        with %s=%s in its environment\n", variable, s.certificate.trust)
			}
		}
	}
	fmt.Fprintf(b, "\nConnect a client:\n")
	fmt.Fprintf(b, "  Go    ex.ConnectURL(ctx, %q)\n", p.urls(host)[0]+token)
	trust("SSL_CERT_FILE")
	fmt.Fprintf(b, "  npm   ex.connect('websocket', '%s', { port: %s%s }, callback)\n", strings.Trim(host, "[]"), port, secure)
	trust("NODE_EXTRA_CA_CERTS")
	fmt.Fprintf(b, "\nCtrl-C ends it, and a second one does not wait for introductions and TURN.\n")
}
