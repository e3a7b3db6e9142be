package seed

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/gorilla/websocket"
)

// Bounds of an HTTP request. No request of the API has a body; net/http adds
// 4 KiB to the header.
const (
	maxHeaderBytes = 12 << 10
	maxBodyBytes   = 4 << 10
)

// newServer serves requests on the connections that an entrance leads to it.
func newServer(api http.Handler, e *entrance) *http.Server {
	limit := max(e.handshakeTime, 0) // net/http takes zero for none
	return &http.Server{
		Handler:           attributed(api, e.proxies),
		ConnContext:       withConn,
		ReadHeaderTimeout: limit,
		ReadTimeout:       limit,
		WriteTimeout:      limit,
		IdleTimeout:       limit,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         e.requestState,
		ErrorLog:          log.New(io.Discard, "", 0), // strangers' mistakes
	}
}

// newAPI is what the seed serves over HTTP: a websocket wherever one is asked
// for, since old clients know no path but / and proxies may add one, and beside
// that a document for programs and a page for people. Web pages of any origin
// may read it. A nil ice is none.
func newAPI(websockets http.Handler, document func() Bootstrap, ice *iceHandler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/peer-exchange", func(w http.ResponseWriter, _ *http.Request) {
		bootstrap, err := json.Marshal(document())
		if err != nil {
			answer(w, http.StatusInternalServerError, err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(append(bootstrap, '\n'))
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte(frontPage(document(), ice != nil)))
	})
	if ice != nil {
		mux.Handle("GET /ice", ice)
	}
	api := http.MaxBytesHandler(withCORS(mux), maxBodyBytes)

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if websocket.IsWebSocketUpgrade(r) {
			if c, ok := r.Context().Value(connKey{}).(*conn); ok {
				c.reached = reachedBy(r)
			}
			websockets.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// withCORS lets web pages of any origin read what is served.
func withCORS(next http.Handler) http.Handler {
	const methods = "GET, HEAD, OPTIONS"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("X-Content-Type-Options", "nosniff")
		if r.Method == http.MethodOptions {
			header.Set("Allow", methods)
			header.Set("Access-Control-Allow-Methods", methods)
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
			header.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// frontPage is for a person who opens the seed in a browser.
func frontPage(document Bootstrap, ice bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This is a seed of the peer-exchange network %q.\n\n", document.Network)
	b.WriteString("Programs that belong to the network connect to it to find each other:\n\n")
	for _, seed := range document.Seeds {
		for _, address := range seed.Addresses {
			fmt.Fprintf(&b, "    %s\n", address)
		}
	}
	b.WriteString("\nThe same as JSON: /.well-known/peer-exchange\n")
	if ice {
		b.WriteString("STUN and TURN servers for WebRTC, with credentials: /ice\n")
	}
	return b.String()
}
