package seed

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Times of the admin port. Whoever may reach it means well, but may hang.
const (
	adminRequestTime = 10 * time.Second // to read a request, and to write an answer
	adminIdleTime    = 3 * time.Minute  // Prometheus asks once a minute, or more often
)

// maxScrapes is how many answers of /metrics are made at a time.
const maxScrapes = 4

// admin is the private port: what operators, and programs of theirs, ask the
// seed and have it do. Nothing of it is on the public ports.
type admin struct {
	listener net.Listener
	server   *http.Server
}

// openAdmin opens the admin port, if there is to be one.
func (s *Seed) openAdmin(ctx context.Context) error {
	if s.config.AdminListen == "" {
		return nil
	}
	l, err := listenTCP(ctx, "--admin-listen", s.config.AdminListen)
	if err != nil {
		return err
	}
	s.admin = &admin{l, &http.Server{
		Handler:      guard(http.MaxBytesHandler(s.adminAPI(), maxBodyBytes), l.Addr()),
		ReadTimeout:  adminRequestTime,
		WriteTimeout: adminRequestTime, // pprof adds the seconds that it was asked for
		IdleTimeout:  adminIdleTime,
		ErrorLog:     slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}}
	return nil
}

const adminIndex = `This is the admin port of a seed.

GET    /metrics       for Prometheus
GET    /healthz       200 while the seed works
GET    /readyz        200 once it takes connections
GET    /status        what it is and how it is, as JSON
GET    /peers         who is connected, as JSON
DELETE /peers/{id}    disconnects one
POST   /drain         sends peers elsewhere and ends the seed, as SIGTERM does
`

func (s *Seed) adminAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte(adminIndex))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.config.Registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: maxScrapes,
	}))
	mux.HandleFunc("GET /healthz", s.serveHealth)
	mux.HandleFunc("GET /readyz", s.serveReady)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Status()) })
	mux.HandleFunc("GET /peers", s.servePeers)
	mux.HandleFunc("DELETE /peers/{id}", s.serveDisconnect)
	mux.HandleFunc("POST /drain", func(w http.ResponseWriter, _ *http.Request) {
		s.Drain()
		writeJSON(w, http.StatusAccepted, s.Status())
	})
	if s.config.AdminPprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// serveHealth answers whether the seed works. It asks the exchange for
// something, so that a seed that is stuck does not answer and is restarted.
func (s *Seed) serveHealth(w http.ResponseWriter, _ *http.Request) {
	s.exchange.Stats()
	answer(w, http.StatusOK, "ok")
}

// serveReady answers whether the seed takes connections, or did until it was to
// drain: to fail while draining would have load balancers cut off what is still
// going on.
func (s *Seed) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !s.ready.Load() {
		answer(w, http.StatusServiceUnavailable, "not ready")
		return
	}
	answer(w, http.StatusOK, "ok")
}

// guard turns away web pages. An operator's browser can reach the port where
// they cannot, and they would have it send requests: of their own origin's to
// another one, or to their own name once it resolves to this machine.
func guard(next http.Handler, addr net.Addr) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsLoopback() {
		return next // names of the machine are as good as its addresses
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocalHost(r.Host) {
			answer(w, http.StatusForbidden, "use localhost or an IP address to talk to this port")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocalHost tells whether a Host header names a machine otherwise than by a
// name that somebody else may have given it.
func isLocalHost(header string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write([]byte(text + "\n"))
}

// writeJSON answers with a value that can be encoded.
func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // whoever asked may be gone
}

// close lets requests in progress end, for a moment.
func (a *admin) close() {
	ctx, cancel := context.WithTimeout(context.Background(), requestDrainTime)
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		a.server.Close()
	}
	a.listener.Close() // which the server does not know unless it served
}
