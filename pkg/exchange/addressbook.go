package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Address is where a peer was reached before.
type Address struct {
	URL  string    `json:"url"`  // as ConnectURL takes it
	Good time.Time `json:"good"` // when it was last reached
}

// AddressStore keeps addresses across restarts. A [Maintainer] calls its methods
// one at a time.
type AddressStore interface {
	// Load returns what was saved last, nothing if there is none.
	Load() ([]Address, error)
	// Save replaces what was saved.
	Save([]Address) error
}

// FileStore returns a store that keeps addresses in a JSON file, which it
// replaces as a whole, so that a crash leaves the old one or the new one.
func FileStore(path string) AddressStore { return fileStore(path) }

type fileStore string

func (f fileStore) Load() ([]Address, error) {
	data, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var addresses []Address
	if err := json.Unmarshal(data, &addresses); err != nil {
		return nil, fmt.Errorf("address store %s is damaged (delete it to start anew): %w", string(f), err)
	}
	return addresses, nil
}

func (f fileStore) Save(addresses []Address) error {
	data, err := json.MarshalIndent(addresses, "", "  ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(string(f)), filepath.Base(string(f))+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(append(data, '\n')); err != nil {
		tmp.Close()
		return err
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), string(f))
}

// What an address book holds: enough to find the way back, no history.
const (
	maxAddresses = 32
	maxAge       = 30 * 24 * time.Hour
)

// addressBook is what a Maintainer knows of addresses.
type addressBook struct {
	store AddressStore // may be nil

	mu sync.Mutex
	// Guarded by mu.
	addresses []Address // the last reached first
	attempts  map[string]time.Time
}

func openAddressBook(store AddressStore) (*addressBook, error) {
	b := &addressBook{store: store, attempts: make(map[string]time.Time)}
	if store == nil {
		return b, nil
	}
	addresses, err := store.Load()
	if err != nil {
		return nil, fmt.Errorf("load addresses: %w", err)
	}
	for _, a := range addresses {
		if _, err := parseURL(a.URL); err == nil && time.Since(a.Good) < maxAge && len(b.addresses) < maxAddresses {
			b.addresses = append(b.addresses, a)
		}
	}
	return b, nil
}

func (b *addressBook) list() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	urls := make([]string, len(b.addresses))
	for i, a := range b.addresses {
		urls[i] = a.URL
	}
	return urls
}

// good notes that an address was reached, and returns those that had to make room.
// What cannot be saved is remembered all the same, until the program ends.
func (b *addressBook) good(url string) (forgotten []Address, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.addresses = slices.DeleteFunc(b.addresses, func(a Address) bool { return a.URL == url })
	b.addresses = slices.Insert(b.addresses, 0, Address{URL: url, Good: time.Now().UTC()})
	if len(b.addresses) > maxAddresses {
		forgotten = slices.Clone(b.addresses[maxAddresses:])
		b.addresses = b.addresses[:maxAddresses]
	}
	if b.store != nil {
		err = b.store.Save(b.addresses)
	}
	return forgotten, err
}

func (b *addressBook) tried(url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts[url] = time.Now()
}

// untry is for an address that is of no interest any more.
func (b *addressBook) untry(url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.attempts, url)
}

func (b *addressBook) lastTried(url string) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attempts[url]
}
