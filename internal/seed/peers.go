package seed

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// peerList is what GET /peers of the admin port answers: who is connected, and
// nothing of what they said to each other.
type peerList struct {
	Peers []peerEntry `json:"peers"` // by ID, which is the order they came in
}

type peerEntry struct {
	ID        uint64 `json:"id"` // the "peer" of log records
	Transport string `json:"transport"`
	Protocol  string `json:"protocol"`
	// What the other node said of itself; npm nodes say nothing.
	Agent    string `json:"agent"`
	Instance string `json:"instance"`

	RemoteAddress string    `json:"remoteAddress"` // IP:port, or what the transport has for one
	Since         time.Time `json:"since"`
	Outgoing      bool      `json:"outgoing"` // whether the seed made the connection
	Sibling       bool      `json:"sibling"`  // whether it is another seed of the network
}

func (s *Seed) servePeers(w http.ResponseWriter, _ *http.Request) {
	list := peerList{Peers: []peerEntry{}}
	for _, p := range s.exchange.Peers() {
		list.Peers = append(list.Peers, describePeer(p))
	}
	slices.SortFunc(list.Peers, func(a, b peerEntry) int { return cmp.Compare(a.ID, b.ID) })
	writeJSON(w, http.StatusOK, list)
}

func describePeer(p *exchange.Peer) peerEntry {
	entry := peerEntry{
		ID:        p.ID(),
		Transport: p.Transport(),
		Protocol:  p.Protocol().String(),
		Agent:     p.Agent(),
		Instance:  p.Instance(),
		Since:     p.Since().UTC(),
		Outgoing:  p.Outgoing(),
		Sibling:   p.Sibling(),
	}
	if addr := p.RemoteAddr(); addr != nil {
		entry.RemoteAddress = addr.String()
	}
	return entry
}

// serveDisconnect ends the connection to one peer. What stops the peer from
// coming back is not the seed's to say.
func (s *Seed) serveDisconnect(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		answer(w, http.StatusBadRequest, "want the id of a peer, a number, as in /peers")
		return
	}
	for _, p := range s.exchange.Peers() {
		if p.ID() == id {
			s.logger.Info("peer disconnected on request", "peer", id, "remote_addr", p.RemoteAddress())
			p.Close()
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	answer(w, http.StatusNotFound, "no such peer is connected")
}
