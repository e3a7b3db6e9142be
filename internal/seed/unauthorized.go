package seed

import (
	"net/http"

	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// authorize answers a request that presents no good token with 401, and tells why
// it did. A nil m lets everybody pass.
func (m *members) authorize(w http.ResponseWriter, r *http.Request) error {
	if m == nil {
		return nil
	}
	err := m.check(websocket.RequestToken(r))
	if err == nil {
		return nil
	}
	challenge := `Bearer realm="peer-exchange"`
	if err != errNoToken {
		challenge += `, error="invalid_token"` // RFC 6750 section 3.1
	}
	w.Header().Set("WWW-Authenticate", challenge)
	writeJSON(w, http.StatusUnauthorized, unauthorized{
		Error: err.Error() + "; members of this network present theirs as Authorization: Bearer TOKEN, or as ?token=TOKEN",
	})
	return err
}

// unauthorized is what a 401 says.
type unauthorized struct {
	Error string `json:"error"`
}

// only leads requests with a good token on, and counts the others.
func (m *members) only(next http.Handler, refusals *refusals) http.Handler {
	if m == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := m.authorize(w, r); err != nil {
			refusals.add(refusedUnauthorized, r.RemoteAddr, "err", err)
			return
		}
		next.ServeHTTP(w, r)
	})
}
