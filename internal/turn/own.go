package turn

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// ownInterval is how old the list of this machine's addresses gets. A machine gets
// others while the server runs: by DHCP, by IPv6 privacy extensions, with a VPN.
const ownInterval = time.Minute

// ownAddresses are those that lead to this machine.
type ownAddresses struct {
	// Static after construction.
	given      []netip.Addr               // by the configuration
	interfaces func() ([]net.Addr, error) // lists those of the network interfaces; nil for none
	logger     *slog.Logger

	mu sync.Mutex
	// Guarded by mu.
	found []netip.Addr // of the interfaces
	due   time.Time    // when they are to be listed again
}

// newOwnAddresses lists them a first time.
func newOwnAddresses(cfg Config) (*ownAddresses, error) {
	o := &ownAddresses{interfaces: net.InterfaceAddrs, logger: cfg.Logger}
	for _, ip := range cfg.Own {
		o.given = append(o.given, ip.Unmap().WithZone(""))
	}
	for _, ip := range cfg.RelayIPs {
		if ip.Listen.IsValid() && !ip.Listen.IsUnspecified() {
			o.given = append(o.given, ip.Listen)
		}
	}
	if err := o.list(); err != nil {
		return nil, fmt.Errorf("list this machine's addresses: %w", err)
	}
	return o, nil
}

// contain tells whether an address leads to this machine. It is asked for permissions
// and not for each message, so it may ask the system.
func (o *ownAddresses) contain(ip netip.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.interfaces != nil && !time.Now().Before(o.due) {
		if err := o.list(); err != nil {
			o.logger.Warn("this machine's addresses not listed; those of before count", "err", err)
		}
	}
	return slices.Contains(o.given, ip) || slices.Contains(o.found, ip)
}

// list reads what the interfaces have. The caller holds mu, or has o for itself.
func (o *ownAddresses) list() error {
	o.due = time.Now().Add(ownInterval)
	addrs, err := o.interfaces()
	if err != nil {
		return err
	}
	o.found = o.found[:0]
	for _, a := range addrs {
		if ipNet, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(ipNet.IP); ok {
				o.found = append(o.found, ip.Unmap())
			}
		}
	}
	return nil
}
