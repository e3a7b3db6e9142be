package seed

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// localAddrs returns the addresses of this machine that others may reach it at:
// no loopback and no link-local ones.
func localAddrs() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var usable []netip.Addr
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		if ip := prefix.Addr().Unmap(); ip.IsGlobalUnicast() {
			usable = append(usable, ip)
		}
	}
	return usable
}

// hosts are the hosts under which a listener is reached, best first, in the form
// that a URL has them in.
type hosts struct {
	local  []string // from this machine
	public []string // from others
}

// best is the host that most others can reach, or else this machine's.
func (h hosts) best() string {
	if len(h.public) > 0 {
		return h.public[0]
	}
	return h.local[0]
}

// hostsOf finds them out for a listener's address. external are addresses that
// others reach the machine at although it does not have them.
func hostsOf(addr net.Addr, external, machine []netip.Addr) hosts {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return hosts{}
	}
	ip, _ := netip.AddrFromSlice(tcp.IP)
	onlyIPv4 := ip.Is4()
	ip = ip.Unmap()
	if ip.IsValid() && !ip.IsUnspecified() {
		here := inURL(ip)
		if ip.IsLoopback() {
			return hosts{local: []string{here}}
		}
		public := urlHosts(external)
		if !slices.Contains(public, here) {
			public = append(public, here)
		}
		return hosts{local: []string{here}, public: public}
	}
	h := hosts{local: []string{"localhost"}, public: urlHosts(external)}
	for _, a := range machine {
		if host := inURL(a); (a.Is4() || !onlyIPv4) && !slices.Contains(h.public, host) {
			h.public = append(h.public, host)
		}
	}
	return h
}

func urlHosts(ips []netip.Addr) []string {
	var out []string
	for _, ip := range ips {
		out = append(out, inURL(ip))
	}
	return out
}

func inURL(ip netip.Addr) string {
	if ip.Is4() {
		return ip.String()
	}
	return "[" + ip.WithZone("").String() + "]"
}

// certificateNames are what a self-signed certificate is made for.
func certificateNames(listen string, external, machine []netip.Addr) []string {
	names := []string{"localhost"}
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if host, err := os.Hostname(); err == nil && isHostName(host) {
		add(strings.ToLower(host))
	}
	if host, _, err := net.SplitHostPort(listen); err == nil {
		ip, err := netip.ParseAddr(host)
		switch {
		case err == nil && !ip.IsUnspecified():
			add(ip.WithZone("").String())
		case err != nil && isHostName(host):
			add(strings.ToLower(host))
		}
	}
	add("127.0.0.1")
	add("::1")
	for _, ip := range slices.Concat(external, machine) {
		add(ip.WithZone("").String())
	}
	return names
}

// isHostName tells whether a certificate can have the name.
func isHostName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label {
			return false
		}
		for _, r := range label {
			if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-') {
				return false
			}
		}
	}
	return true
}
