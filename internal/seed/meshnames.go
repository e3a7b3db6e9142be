package seed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// resolver looks names up. A *net.Resolver is one.
type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// meshNames is where siblings are to be found.
type meshNames struct {
	resolver resolver
	scheme   string   // tls or tcp, as this seed listens
	name     string   // all of them have this name; empty if there is none
	service  bool     // it has SRV records
	port     string   // of those without
	urls     []string // of single ones
}

// meshNames reads the flags. Seeds of a network are alike, so what they do not say
// is as this seed has it.
func (c Config) meshNames(own port) (meshNames, error) {
	n := meshNames{resolver: net.DefaultResolver, scheme: "tcp", urls: c.MeshPeers}
	if own.tls != nil {
		n.scheme = "tls"
	}
	name, number, err := c.meshName()
	if err != nil {
		return meshNames{}, err
	}
	n.name, n.port = name, number
	if number == "" {
		n.port = strconv.Itoa(own.number())
	}
	n.service = strings.HasPrefix(name, "_")
	return n, nil
}

// meshName takes --mesh-dns apart.
func (c Config) meshName() (name, port string, err error) {
	name = c.MeshDNS
	if host, number, splitErr := net.SplitHostPort(name); splitErr == nil {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || n == 0 {
			return "", "", fmt.Errorf("--mesh-dns: %q has no port from 1 to 65535", c.MeshDNS)
		}
		name, port = host, number
	}
	if name != "" && !isHostName(strings.ReplaceAll(strings.TrimSuffix(name, "."), "_", "x")) {
		return "", "", fmt.Errorf("--mesh-dns: %q is no name; want NAME or NAME:PORT, such as seeds.example.org, or _peerexchange._tcp.example.org for SRV records", c.MeshDNS)
	}
	return name, port, nil
}

// validateMesh looks at the flags.
func (c Config) validateMesh() error {
	if (c.MeshDNS != "" || len(c.MeshPeers) > 0) && c.MeshSecretFile == "" {
		return errors.New("--mesh-dns and --mesh-peers need --mesh-secret-file: a file that all seeds have, by which they know each other; `openssl rand -hex 32` makes a secret")
	}
	if _, _, err := c.meshName(); err != nil {
		return err
	}
	for _, address := range c.MeshPeers {
		err := exchange.CheckURL(address)
		if err == nil && !strings.HasPrefix(address, "tls://") && !strings.HasPrefix(address, "tcp://") {
			err = fmt.Errorf("address %q: want tls://HOST:PORT, or tcp://HOST:PORT of a port without TLS", address)
		}
		if err != nil {
			return fmt.Errorf("--mesh-peers: %w", err)
		}
	}
	for _, address := range c.Advertise {
		if err := exchange.CheckURL(address); err != nil {
			return fmt.Errorf("--advertise: %w", err)
		}
	}
	return nil
}

// look returns the addresses of siblings, as URLs, and the IPs that they are at. An
// error leaves out those that it is about.
func (n *meshNames) look(ctx context.Context) (targets map[string]bool, ips map[netip.Addr]bool, err error) {
	targets, ips = make(map[string]bool), make(map[netip.Addr]bool)
	var errs []error
	for _, address := range n.urls {
		targets[address] = true
		u, err := url.Parse(address)
		if err == nil {
			err = n.addIPs(ctx, ips, u.Hostname())
		}
		errs = append(errs, err)
	}
	switch {
	case n.service:
		_, records, err := n.resolver.LookupSRV(ctx, "", "", n.name)
		errs = append(errs, notFoundIsNone(err))
		for _, r := range records {
			host := strings.TrimSuffix(r.Target, ".")
			targets[n.scheme+"://"+net.JoinHostPort(host, strconv.Itoa(int(r.Port)))] = true
			errs = append(errs, n.addIPs(ctx, ips, host))
		}
	case n.name != "":
		found := make(map[netip.Addr]bool)
		errs = append(errs, n.addIPs(ctx, found, n.name))
		for ip := range found {
			targets[n.scheme+"://"+net.JoinHostPort(ip.String(), n.port)] = true
		}
		maps.Copy(ips, found)
	}
	return targets, ips, errors.Join(errs...)
}

func (n *meshNames) addIPs(ctx context.Context, ips map[netip.Addr]bool, host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		ips[ip.Unmap().WithZone("")] = true
		return nil
	}
	found, err := n.resolver.LookupNetIP(ctx, "ip", host)
	for _, ip := range found {
		ips[ip.Unmap().WithZone("")] = true
	}
	return notFoundIsNone(err)
}

// notFoundIsNone makes nothing of a name that does not exist: that of a headless
// Service has no addresses before the first pod is there.
func notFoundIsNone(err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return nil
	}
	return err
}
