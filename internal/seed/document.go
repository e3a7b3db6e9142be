package seed

import (
	"slices"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// describe is what the seed tells about itself.
func (s *Seed) describe() Bootstrap {
	var public, local []string
	for _, p := range s.ports {
		for _, host := range p.hosts.public {
			public = append(public, p.urls(host)...)
		}
		for _, host := range p.hosts.local {
			local = append(local, p.urls(host)...)
		}
	}
	addresses := public
	if len(public) == 0 {
		addresses = local // a seed on nobody's machine but this
	}
	return Bootstrap{
		Bootstrap: exchange.Bootstrap{Network: s.config.NetworkID, Seeds: []exchange.BootstrapSeed{{Addresses: addresses}}},
		Instance:  s.exchange.Instance(),
		Agent:     s.agent(),
		Protocols: []string{exchange.V0.String(), exchange.V1.String()},
	}
}

// served is the bootstrap document as clients get it: of the file, or else this seed
// and the siblings that say where clients reach them; and about this seed.
func (s *Seed) served() Bootstrap {
	document := s.document
	if s.bootstrap != nil {
		document.Bootstrap = *s.bootstrap.current.Load()
		return document
	}
	document.Seeds = []exchange.BootstrapSeed{{Addresses: s.addresses()}}
	for _, sibling := range s.exchange.Siblings() {
		if sibling.Draining || len(sibling.Addresses) == 0 {
			continue
		}
		addresses := slices.DeleteFunc(slices.Clone(sibling.Addresses), func(a string) bool { return exchange.CheckURL(a) != nil })
		document.Seeds = append(document.Seeds, exchange.BootstrapSeed{Name: sibling.Name, Addresses: addresses})
	}
	if s.mesh != nil {
		document.Seeds[0].Name = s.config.SeedName
	}
	return document
}

// addresses are the ways to this seed, best first.
func (s *Seed) addresses() []string {
	if advertised := s.advertised(); len(advertised) > 0 {
		return advertised
	}
	return s.document.Seeds[0].Addresses
}

// advertised are the addresses that clients of other seeds are told to reach this
// one at: those that an operator says are good, and no guesses.
func (s *Seed) advertised() []string {
	if len(s.config.Advertise) > 0 || s.bootstrap == nil {
		return s.config.Advertise
	}
	return s.bootstrap.addresses()
}
