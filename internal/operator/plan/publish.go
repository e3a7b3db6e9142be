package plan

import (
	"bytes"
	"crypto/ed25519"
	"slices"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// maxSequence is the highest number that every reader can tell from the next
// (RFC 8259, section 6). No operator gets there; who writes a higher one into a
// document is not believed.
const maxSequence = 1<<53 - 1

// Publishing is what a document is made of.
type Publishing struct {
	// Network is the network ID.
	Network string
	// Seeds are all of the network's, by their ordinals. Those are published that are
	// reached.
	Seeds []v1.SeedStatus
	// Key signs the document.
	Key ed25519.PrivateKey
	// Before is the document that is out, as it is there; nil if none is.
	Before []byte
	// Sequence is the highest number that is known to have been out. A document that is
	// made again after somebody deleted it is above what clients have seen.
	Sequence int64
}

// Publication is a document, and what it changes.
type Publication struct {
	// Document is what was signed, and Signed as it is published.
	Document exchange.Bootstrap
	Signed   []byte
	// Published and Withdrawn are the addresses that the document before did not
	// have, and those that this one has not any more.
	Published, Withdrawn []string
	// Left is what had to be left out of the document for its length; empty if nothing
	// was.
	Left string
}

// Publish makes the document. It is the one that is out, byte for byte, if that says
// the same and is signed with the same key; any other has a higher number.
func Publish(p Publishing) (Publication, error) {
	before := ReadDocument(p.Before)
	number := max(uint64(max(p.Sequence, 0)), before.Sequence)
	var err error
	for _, shorter := range shortenings {
		document := exchange.Bootstrap{Network: p.Network, Sequence: number, Seeds: shorter.seeds(p.Seeds)}
		var signed []byte
		signed, err = exchange.SignBootstrap(document, p.Key)
		if err == nil && !bytes.Equal(signed, p.Before) {
			document.Sequence++
			signed, err = exchange.SignBootstrap(document, p.Key)
		}
		if err == nil {
			old, now := before.Addresses(), document.Addresses()
			return Publication{document, signed, without(now, old), without(old, now), shorter.left}, nil
		}
	}
	return Publication{}, err // of the shortest
}

// ReadDocument reads one that was published; it is empty if it is none.
func ReadDocument(published []byte) exchange.Bootstrap {
	document, err := exchange.ParseBootstrap(published, nil)
	if err != nil || document.Sequence > maxSequence {
		return exchange.Bootstrap{}
	}
	return *document
}

func without(all, these []string) []string {
	var rest []string
	for _, one := range all {
		if !slices.Contains(these, one) {
			rest = append(rest, one)
		}
	}
	return rest
}
