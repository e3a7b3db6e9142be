package seed

import (
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// Bounds of a bootstrap document.
const (
	maxBootstrapSeeds     = 1000
	maxBootstrapAddresses = 16 // of one seed
)

// bootstrapFile is the bootstrap document as somebody else writes it for all seeds.
type bootstrapFile struct {
	current atomic.Pointer[Bootstrap]

	// Static after construction.
	network string
	files   *watch
	changed func() // after another one was taken over; set before run
}

func loadBootstrapFile(s *Seed) (*bootstrapFile, error) {
	f := &bootstrapFile{network: s.config.NetworkID, changed: func() {}}
	var err error
	f.files, err = newWatch("bootstrap document", []string{s.config.BootstrapFile}, f.replace, s.logger)
	if err != nil {
		return nil, fmt.Errorf("read the bootstrap document %s (--bootstrap-file): %w", s.config.BootstrapFile, err)
	}
	return f, nil
}

// replace takes over what the file holds.
func (f *bootstrapFile) replace(contents [][]byte) error {
	document := new(Bootstrap)
	if err := json.Unmarshal(contents[0], document); err != nil {
		return fmt.Errorf("it is no bootstrap document: %w", err)
	}
	if document.Network != f.network {
		return fmt.Errorf("it is of the network %.64q, and this seed of %q", document.Network, f.network)
	}
	if len(document.Seeds) > maxBootstrapSeeds {
		return fmt.Errorf("it has more than %d seeds", maxBootstrapSeeds)
	}
	for _, seed := range document.Seeds {
		if len(seed.Addresses) > maxBootstrapAddresses {
			return fmt.Errorf("seed %.64q has more than %d addresses", seed.Name, maxBootstrapAddresses)
		}
		for _, address := range seed.Addresses {
			if err := exchange.CheckURL(address); err != nil {
				return fmt.Errorf("seed %.64q: %w", seed.Name, err)
			}
		}
	}
	f.current.Store(document)
	f.changed()
	return nil
}

// of returns the addresses of one seed, none if the document does not name it.
func (f *bootstrapFile) of(name string) []string {
	for _, seed := range f.current.Load().Seeds {
		if seed.Name == name {
			return seed.Addresses
		}
	}
	return nil
}
