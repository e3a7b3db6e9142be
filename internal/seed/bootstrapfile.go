package seed

import (
	"fmt"
	"sync/atomic"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// bootstrapFile is the bootstrap document as somebody else writes it for all seeds.
type bootstrapFile struct {
	current atomic.Pointer[exchange.Bootstrap]

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
	document, err := exchange.ReadBootstrapFile(contents[0])
	if err != nil {
		return err
	}
	if document.Network != f.network {
		return fmt.Errorf("it is of the network %.64q, and this seed of %q", document.Network, f.network)
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
