package seed

import (
	"fmt"
	"sync/atomic"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// bootstrapFile is the bootstrap document as somebody else writes it for all seeds.
type bootstrapFile struct {
	current atomic.Pointer[exchange.Bootstrap]
	// turn are the URLs of this seed's STUN and TURN server. Those of a document that
	// does not name the seed are those of the one before: a seed that drains is reached
	// as it was.
	turn atomic.Pointer[turnURLs]
	// named is whether a document had an entry of this seed yet.
	named atomic.Bool

	// Static after construction.
	network string
	name    string // of this seed
	files   *watch
	changed func() // after another one was taken over; set before run
}

func loadBootstrapFile(s *Seed) (*bootstrapFile, error) {
	f := &bootstrapFile{network: s.config.NetworkID, name: s.config.SeedName, changed: func() {}}
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
	if own := f.entry(document); own != nil {
		turn, err := parseTURNURLs(own.TURN)
		if err != nil {
			return fmt.Errorf("the entry of %.64q: %w", own.Name, err)
		}
		f.turn.Store(turn)
		f.named.Store(true)
	}
	f.current.Store(document)
	f.changed()
	return nil
}

// entry is that of this seed, nil if the document has none.
func (f *bootstrapFile) entry(document *exchange.Bootstrap) *exchange.BootstrapSeed {
	for i := range document.Seeds {
		if document.Seeds[i].Name == f.name {
			return &document.Seeds[i]
		}
	}
	return nil
}

// addresses are those of this seed, none if the document does not name it.
func (f *bootstrapFile) addresses() []string {
	if own := f.entry(f.current.Load()); own != nil {
		return own.Addresses
	}
	return nil
}

// awaited tells whether there is a document, and none has named this seed yet: where it
// is reached is not known, and will be.
func (f *bootstrapFile) awaited() bool { return f != nil && !f.named.Load() }

// published are the URLs of this seed's STUN and TURN server that a document has, which
// may be none; nil if there is no document, or if it says nothing of them.
func (f *bootstrapFile) published() *turnURLs {
	if f == nil {
		return nil
	}
	return f.turn.Load()
}
