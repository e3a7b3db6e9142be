package exchange

import (
	"math"
	"slices"
	"time"
)

// handedOut is a candidate that this peer was told of. The id is good for this
// peer only, and for a short time, so that nobody can ask for relays to peers at will.
type handedOut struct {
	id      string
	listing *listing // of this node's peers, or nil
	via     *link    // of a sibling's, which knows it by another id
	remote  string
	until   time.Time
}

const (
	maxHandedOut     = 256 // ids that a peer may hold
	candidatesPerRes = 16  // npm lists every peer; an asker takes one at random
)

// newHandedOut makes an id for a candidate of this node's.
func (ex *Exchange) newHandedOut(l *listing) handedOut {
	until := time.Now().Add(ex.limits.CandidateTime)
	if ex.limits.CandidateTime < 0 {
		until = time.Now().Add(math.MaxInt64)
	}
	return handedOut{id: newID(), listing: l, until: until}
}

// holder is the peer through which a candidate is reached.
func (h handedOut) holder() *Peer {
	if h.via != nil {
		return h.via.p
	}
	return h.listing.peer
}

// handOut enters a candidate under its id. The oldest ids make room.
func (v *v1) handOut(h handedOut) {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	drop := max(len(v.handedOut)+1-maxHandedOut, 0)
	for drop < len(v.handedOut) && v.handedOut[drop].until.Before(now) {
		drop++
	}
	v.handedOut = append(v.handedOut[drop:], h)
}

// take finds the candidate of an id, which is good once.
func (v *v1) take(id string) (handedOut, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i, h := range v.handedOut {
		if h.id != id {
			continue
		}
		v.handedOut = slices.Delete(v.handedOut, i, i+1)
		return h, !h.until.Before(time.Now()) && !h.holder().isClosed()
	}
	return handedOut{}, false
}

// handedTable are candidates that a sibling was told of, by id.
type handedTable struct {
	byID  map[string]handedOut
	order []string // oldest first; some may be gone from byID
}

// maxHandedToSibling is how many ids of candidates a sibling may hold.
const maxHandedToSibling = 8192

func (t *handedTable) add(h handedOut) {
	if t.byID == nil {
		t.byID = make(map[string]handedOut)
	}
	now := time.Now()
	drop := 0
	for drop < len(t.order) && (len(t.order)-drop >= maxHandedToSibling || t.gone(t.order[drop], now)) {
		delete(t.byID, t.order[drop])
		drop++
	}
	t.order = append(t.order[drop:], h.id)
	t.byID[h.id] = h
}

func (t *handedTable) gone(id string, now time.Time) bool {
	h, there := t.byID[id]
	return !there || h.until.Before(now)
}

// take finds the candidate of an id, which is good once.
func (t *handedTable) take(id string) *listing {
	h, there := t.byID[id]
	delete(t.byID, id)
	if !there || h.until.Before(time.Now()) || h.listing.peer.isClosed() {
		return nil
	}
	return h.listing
}
