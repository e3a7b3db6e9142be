package websocket

import (
	"net/http"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// RequestToken is the token that a request presents: that of its Authorization
// header, `Bearer TOKEN`, or else of the parameter `token` of its URL, which is for
// web pages and npm clients, whose websockets take no header. It is empty if there
// is none, or one that is longer than transport.MaxTokenBytes.
func RequestToken(r *http.Request) string {
	token := ""
	if scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(value)
	} else if strings.Contains(r.URL.RawQuery, "token=") {
		token = r.URL.Query().Get("token")
	}
	if len(token) > transport.MaxTokenBytes {
		return ""
	}
	return strings.Clone(token) // and not the whole header with it
}

// requestHeader is that of a request that presents a token.
func requestHeader(token string) http.Header {
	if token == "" {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}
