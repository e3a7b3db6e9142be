package seed

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// Seed is a bootstrap node. Make it with [New], which opens its ports, and serve
// with [Seed.Run].
type Seed struct {
	// Static after construction.
	config      Config
	logger      *slog.Logger
	exchange    *exchange.Exchange
	webrtc      *webrtc.Transport // nil if off
	certificate *certificate      // nil without a port with TLS
	ports       []port            // the one with TLS first
	entrance    *entrance
	websockets  *websocket.Handler
	server      *http.Server
	requests    *handoff
	document    Bootstrap
	members     *members       // nil if everybody is let in
	mesh        *mesh          // nil if it has no siblings
	bootstrap   *bootstrapFile // nil if there is none
	turn        *relaying      // nil if off
	ice         *iceHandler    // nil with turn
	admin       *admin         // nil if off
	started     time.Time

	ready   atomic.Bool   // connections are being taken, or the seed is draining
	drain   chan struct{} // closed once the seed is to shut down
	drained sync.Once

	accepting sync.WaitGroup // the listeners of ports, and of the TURN server's
	running   sync.WaitGroup
	failed    chan error // why the seed cannot go on; has room for every goroutine
	stop      sync.Once
}

// New opens the ports of a seed. Errors say what to do about them. Whoever does
// not call Run calls Close.
func New(ctx context.Context, cfg Config) (_ *Seed, err error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Seed{config: cfg, logger: cfg.Logger, started: time.Now(), drain: make(chan struct{}), failed: make(chan error, 6+len(cfg.TURNListen))}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if s.members, err = openMembers(cfg, cfg.Logger); err != nil {
		return nil, err
	}
	if err := s.openPorts(ctx); err != nil {
		return nil, err
	}
	if err := s.loadMesh(); err != nil {
		return nil, err
	}
	if s.config.BootstrapFile != "" {
		if s.bootstrap, err = loadBootstrapFile(s); err != nil {
			return nil, err
		}
	}
	if err := s.openExchange(ctx); err != nil {
		return nil, err
	}
	if err := s.openTURN(ctx); err != nil {
		return nil, err
	}
	if err := s.openServer(); err != nil {
		return nil, err
	}
	if err := s.registerMetrics(); err != nil {
		return nil, err
	}
	if err := s.openAdmin(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Run serves until Drain is called or ctx ends, and then shuts down in order: no
// new connections, introductions in progress and TURN allocations come to their
// end, peers are disconnected. After Drain they are sent to siblings before, and
// go one after the other; when ctx ends it is all at once, as soon as the
// introductions are over. The admin port answers to the last. It returns nil
// unless the seed could not go on.
func (s *Seed) Run(ctx context.Context) error {
	if s.admin != nil {
		s.start(func() error { return s.admin.server.Serve(s.admin.listener) })
	}
	accept := func(l net.Listener, config *tls.Config, only protocol) {
		s.accepting.Add(1)
		s.start(func() error {
			defer s.accepting.Done()
			return s.entrance.serve(l, config, only)
		})
	}
	for _, p := range s.ports {
		accept(p.listener, p.tls, undecided)
	}
	if s.certificate != nil && s.certificate.files != nil {
		s.running.Go(func() { s.certificate.files.run(s.entrance.done) })
	}
	if s.members != nil {
		for _, files := range s.members.files {
			s.running.Go(func() { files.run(s.entrance.done) })
		}
	}
	if s.turn != nil {
		for _, l := range s.turn.ports {
			accept(l, nil, stunMessage)
		}
		s.start(s.turn.run)
		s.running.Go(func() { s.turn.secrets.files.run(s.entrance.done) })
	}
	if s.bootstrap != nil {
		s.running.Go(func() { s.bootstrap.files.run(s.entrance.done) })
	}
	if s.mesh != nil {
		s.running.Go(func() { s.mesh.secrets.files.run(s.entrance.done) })
		s.running.Go(func() { s.mesh.run(s.entrance.done) })
	}
	s.start(func() error { return s.server.Serve(s.requests) })
	s.start(func() error { return s.exchange.Serve(s.websockets, transports.WebSocket) })
	s.ready.Store(true)
	s.logger.Info("started", "network", s.config.NetworkID, "instance", s.exchange.Instance(), "version", s.config.Version)

	var err error
	empty := s.exchange.Shutdown
	select {
	case <-ctx.Done():
	case <-s.drain:
		empty = s.sendAway
	case err = <-s.failed:
	}
	s.Drain() // for those who ask whether it does
	if err != nil {
		s.ready.Store(false)
		s.logger.Error("shutting down", "err", err)
	} else {
		s.logger.Info("shutting down", "peers", s.Status().Peers.Total, "introductions", s.exchange.Stats().Relays,
			"turn_allocations", s.turn.allocations(), "timeout", s.config.DrainTimeout)
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.DrainTimeout)
	defer cancel()
	s.shutdown(drain, empty)
	return err
}

// start runs a part of the seed, without which the others are of no use.
func (s *Seed) start(serve func() error) {
	s.running.Go(func() {
		err := serve()
		if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, exchange.ErrClosed) {
			s.failed <- err
		}
	})
}

// Stats tells what the exchange did and holds.
func (s *Seed) Stats() exchange.Stats { return s.exchange.Stats() }

// Refused counts the connections that were refused before the exchange saw
// them, by reason.
func (s *Seed) Refused() map[string]uint64 { return s.entrance.refusals.snapshot() }
