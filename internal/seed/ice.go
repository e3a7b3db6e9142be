package seed

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/peerexchange/peerexchange/internal/turn"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// ICE is what GET /ice answers: the STUN and TURN servers of the seed, with
// credentials. ICEServers is as the configuration of a browser's
// RTCPeerConnection has it.
type ICE struct {
	ICEServers []ICEServer `json:"iceServers"`
	// TTL is for how many seconds these are good for new connections.
	TTL int `json:"ttl"`
}

// ICEServer is one entry of the list, an RTCIceServer.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// iceHandler answers GET /ice.
type iceHandler struct {
	// Static after construction.
	relaying *relaying
	document *bootstrapFile // nil if there is none
	secure   *port          // the one with TLS; nil if there is none
	fallback string         // a host of this machine, where the request's own is of no use
	external []netip.Addr   // at which others reach the machine
	ttl      time.Duration
	rate     *clientRate
	salt     [16]byte // of the names in credentials
	members  *members // nil if everybody is let in
	refusals *refusals

	answered, refused, unauthorized, sent atomic.Uint64
}

// iceCounts are how many requests were answered, refused for their rate, and
// refused to who is no member, and how often peers were sent the servers without
// asking.
type iceCounts struct{ answered, refused, unauthorized, sent uint64 }

// counts returns them; a nil handler has none.
func (h *iceHandler) counts() iceCounts {
	if h == nil {
		return iceCounts{}
	}
	return iceCounts{h.answered.Load(), h.refused.Load(), h.unauthorized.Load(), h.sent.Load()}
}

// newICE is nil without TURN.
func (s *Seed) newICE() *iceHandler {
	if s.turn == nil {
		return nil
	}
	external, _ := parseExternals(s.config.ExternalIPs) // they were checked
	h := &iceHandler{
		relaying: s.turn,
		document: s.bootstrap,
		fallback: s.ports[0].hosts.best(),
		external: external,
		ttl:      s.config.TURNCredentialTTL,
		rate:     newClientRate(s.config.Limits.ICEPerMinute, rateClients),
	}
	if s.ports[0].tls != nil {
		h.secure = &s.ports[0]
	}
	rand.Read(h.salt[:]) // never fails
	return h
}

// ServeHTTP implements http.Handler.
func (h *iceHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.members.authorize(w, r); err != nil {
		h.unauthorized.Add(1)
		h.refusals.log(refusedUnauthorized, r.RemoteAddr, "err", err)
		return
	}
	client := clientOf(r)
	if !h.rate.allow(client, time.Now()) {
		h.refused.Add(1)
		w.Header().Set("Retry-After", strconv.Itoa(int(h.rate.interval/time.Second)+1))
		answer(w, http.StatusTooManyRequests, "too many requests from this address; credentials are good for "+h.ttl.String())
		return
	}
	h.answered.Add(1)
	writeJSON(w, http.StatusOK, ICE{ICEServers: h.servers(client, reachedBy(r)), TTL: int(h.lasts() / time.Second)})
}

// forPeer is what a peer gets over its connection. One that was not dialed by
// this node's address, or by this node itself, has no use for it, and who is no
// member any more gets none anew.
func (h *iceHandler) forPeer(p *exchange.Peer) ([]transports.ICEServer, time.Duration) {
	if p.Outgoing() || p.Transport() == transports.WebRTC || p.Transport() == exchange.Relay || !p.Authorized() {
		return nil, 0
	}
	client, _ := netip.ParseAddr(p.RemoteAddress()) // the zero Addr is one as any other
	var servers []transports.ICEServer
	for _, s := range h.servers(client, reachedByPeer(p)) {
		servers = append(servers, transports.ICEServer(s))
	}
	if len(servers) > 0 {
		h.sent.Add(1)
	}
	return servers, h.lasts()
}

// awaitedTTL is for how long a client uses what it is told while the document is
// awaited. It is the shortest time for which a node is told it again in time.
const awaitedTTL = time.Minute

// silentTTL is the same while the document says that the servers answer nowhere, which
// may be so for long.
const silentTTL = 10 * time.Minute

// lasts is for how long a client uses what it is told.
func (h *iceHandler) lasts() time.Duration {
	published := h.document.published()
	switch {
	case h.document.awaited():
		return min(h.ttl, awaitedTTL)
	case published != nil && published.empty():
		return min(h.ttl, silentTTL)
	}
	return h.ttl
}

// servers are those that a client gets, with credentials of its own.
func (h *iceHandler) servers(client netip.Addr, by reached) []ICEServer {
	username, password, _ := h.relaying.server.Credentials(h.name(client))
	urls := h.urls(by)
	servers := []ICEServer{} // null is an error to browsers
	if len(urls.stun) > 0 {  // and so is an entry without URLs
		servers = append(servers, ICEServer{URLs: urls.stun})
	}
	if len(urls.relays) > 0 {
		servers = append(servers, ICEServer{URLs: urls.relays, Username: username, Credential: password})
	}
	return servers
}

// clientOf is whom a request is from.
func clientOf(r *http.Request) netip.Addr {
	from, _ := netip.ParseAddrPort(r.RemoteAddr) // the zero Addr is one as any other
	return from.Addr()
}

// name is what a client's allocations are counted by: more credentials are to
// bring it no more of them. It does not tell the client's address, which a
// program may pass on with the credentials.
func (h *iceHandler) name(client netip.Addr) string {
	mac := hmac.New(sha256.New, h.salt[:])
	key, _ := clientKey(client).MarshalBinary() // never fails
	mac.Write(key)
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// urls are the ways to the servers: those that the bootstrap document has for this
// seed, since who wrote it knows what is between clients and the seed's ports. Without
// them a client gets the seed's own ports with the host that it has reached the seed
// by, which is the name that the certificate is for. As long as the document is awaited
// that is the port with TLS only, if it came by that: it cannot know whether others are
// published as other ones. So it is if the document has an empty list: who wrote it got
// no answer anywhere.
func (h *iceHandler) urls(by reached) turnURLs {
	published := h.document.published()
	if published != nil && !published.empty() {
		return *published
	}
	var urls turnURLs
	certain := by.host != "" && by.port != ""
	if published != nil || h.document.awaited() && len(h.external) == 0 && certain {
		if certain {
			urls.relays = []string{"turns:" + by.host + ":" + by.port + "?transport=tcp"}
		}
		return urls
	}
	host, port := by.host, by.port
	if host == "" {
		host = h.fallback
	}
	direct := host
	if len(h.external) > 0 {
		// Names may be those of a load balancer that passes TCP on and no UDP.
		direct = inURL(h.external[0])
	}
	for _, addr := range h.relaying.server.Addrs(turn.TransportUDP) {
		at := direct + ":" + portOf(addr)
		urls.stun = appendNew(urls.stun, "stun:"+at)
		urls.relays = appendNew(urls.relays, "turn:"+at+"?transport=udp")
	}
	for _, addr := range h.relaying.tcp() {
		urls.relays = appendNew(urls.relays, "turn:"+direct+":"+portOf(addr)+"?transport=tcp")
	}
	if h.secure != nil {
		if port == "" {
			port = strconv.Itoa(h.secure.number())
		}
		urls.relays = append(urls.relays, "turns:"+host+":"+port+"?transport=tcp")
	}
	return urls
}

// portOf is the port of an address that was listened on.
func portOf(addr net.Addr) string {
	_, port, _ := net.SplitHostPort(addr.String()) // the system's own
	return port
}

// appendNew appends what is not there yet: several addresses of the machine may
// have the same port.
func appendNew(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}
