package plan

import (
	"encoding/json"
	"slices"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Document is the bootstrap document, as seeds serve it and clients read it.
type Document struct {
	Network string `json:"network"`
	// Sequence grows with every change of the seeds.
	Sequence int64          `json:"sequence"`
	Seeds    []DocumentSeed `json:"seeds"`
}

// DocumentSeed is one seed of a [Document].
type DocumentSeed struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	// TURN are the URLs of its STUN and TURN server.
	TURN []string `json:"turn,omitempty"`
}

// Publication is a document, and what it changes.
type Publication struct {
	Document Document
	// Published and Withdrawn are the addresses that the document before did not
	// have, and those that this one has not any more.
	Published, Withdrawn []string
}

// Publish makes the document of the seeds that are to be published, by their
// ordinals. before is the one that is out, nil if there is none. The document is
// that one, with its sequence number, if nothing changes.
func Publish(network string, seeds []v1.SeedStatus, before *Document) Publication {
	if before == nil {
		before = &Document{}
	}
	p := Publication{Document: Document{Network: network, Sequence: before.Sequence, Seeds: []DocumentSeed{}}}
	for _, seed := range seeds {
		if seed.Published() {
			p.Document.Seeds = append(p.Document.Seeds, DocumentSeed{Name: seed.Name, Addresses: seed.Addresses, TURN: seed.TURNAddresses})
		}
	}
	if before.Network != network || !slices.EqualFunc(before.Seeds, p.Document.Seeds, sameSeed) {
		p.Document.Sequence++
	}
	old, now := before.Addresses(), p.Document.Addresses()
	p.Published, p.Withdrawn = without(now, old), without(old, now)
	return p
}

// Read reads a document that was published; nil if it is none.
func Read(document []byte) *Document {
	d := new(Document)
	if json.Unmarshal(document, d) != nil {
		return nil
	}
	return d
}

// Encode is the document as it is published. The same one gives the same bytes.
func (d Document) Encode() []byte {
	encoded, _ := json.Marshal(d) // texts and a number: it cannot fail
	return append(encoded, '\n')
}

// Addresses are those of all seeds.
func (d Document) Addresses() []string {
	var all []string
	for _, seed := range d.Seeds {
		all = append(all, seed.Addresses...)
	}
	return all
}

func sameSeed(a, b DocumentSeed) bool {
	return a.Name == b.Name && slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.TURN, b.TURN)
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
