package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// What a node may say of where it is publicly reached: Config.Addresses.
const (
	maxAddressURLs     = 8
	maxAddressURLBytes = 256
)

var errInsecureName = errors.New("a host name is of use only with TLS, whose certificate has it: want wss:// or tls://, or an IP address")

var errToldToken = errors.New("address has a token, which others would be told")

// parsePublic reads an address that a node says that it is publicly reached at.
func parsePublic(address string) (target, error) {
	if len(address) > maxAddressURLBytes {
		return target{}, fmt.Errorf("address has %d bytes; at most %d are allowed", len(address), maxAddressURLBytes)
	}
	a, err := parseURL(address)
	if err != nil {
		return target{}, err
	}
	_, named := a.ip()
	switch {
	case a.token != "":
		return target{}, errToldToken
	case !named:
		return a, nil
	case !isHostName(a.host):
		return target{}, fmt.Errorf("address %q: the host is neither a host name nor an IP address", address)
	case !a.secure:
		return target{}, fmt.Errorf("address %q: %w", address, errInsecureName)
	}
	return a, nil
}

// ip is the address in a target, unless that names a host.
func (a target) ip() (_ netip.Addr, named bool) {
	addr, err := netip.ParseAddr(a.host)
	return addr.Unmap().WithZone(""), err != nil
}

// isHostName tells whether a name means the same to everybody: npm nodes put it
// into a URL, in which some forms of numbers are addresses.
func isHostName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' }) {
			return false
		}
	}
	first := labels[len(labels)-1][0]
	return first < '0' || first > '9'
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

func validateAddresses(addresses []string) error {
	if len(addresses) > maxAddressURLs {
		return fmt.Errorf("Config.Addresses has %d entries; at most %d are allowed", len(addresses), maxAddressURLs)
	}
	for _, address := range addresses {
		if _, err := parsePublic(address); err != nil {
			return fmt.Errorf("Config.Addresses: %w", err)
		}
	}
	return nil
}

// listPublic enters the addresses that a peer says that it is publicly reached
// at. What is none is left out, and so is an IP address that the peer is not seen
// at: nobody is sent to another host. A name has to lead there, which only a
// check can tell, so without checks it is not passed on.
func (p *Peer) listPublic(addresses []string) {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	for _, address := range addresses[:min(len(addresses), maxAddressURLs)] {
		a, err := parsePublic(address)
		if err != nil {
			continue
		}
		addr, named := a.ip()
		if named && !p.ex.config.VerifyCandidates || !named && addr != p.addr {
			continue
		}
		l := &listing{
			peer: p, service: service{p.protocol, a.transport}, instance: p.hello.instance,
			port: a.port, secure: a.secure, public: true,
		}
		if named {
			l.host = strings.ToLower(a.host)
		}
		l.opts, _ = json.Marshal(transports.Options{Port: a.port, Secure: a.secure})
		p.listings = append(p.listings, l)
	}
}

// withName returns the listing under which an asker can tell by the certificate
// who it is connected to, if the candidate has one for the same transport, or
// else l itself. The caller holds mu.
func (l *listing) withName(a *asking) *listing {
	if l.port == 0 || l.host != "" {
		return l
	}
	for _, named := range l.peer.listings {
		if named.host != "" && named.public && named.service == l.service && named.group != nil && named.usableBy(a) {
			return named
		}
	}
	return l
}

// leadsTo tells whether a name is that of an address.
func leadsTo(found []netip.Addr, addr netip.Addr) bool {
	return slices.ContainsFunc(found, func(a netip.Addr) bool { return a.Unmap().WithZone("") == addr })
}
