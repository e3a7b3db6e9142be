package seed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
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

// release closes what a New that fails has opened.
func (s *Seed) release() {
	for _, p := range s.ports {
		p.listener.Close()
	}
	if s.exchange != nil {
		s.exchange.Close()
	}
	if s.webrtc != nil {
		s.webrtc.Close()
	}
	if s.turn != nil {
		s.turn.closePorts()
		s.turn.server.Close()
	}
	if s.admin != nil {
		s.admin.listener.Close()
	}
}

func (s *Seed) openPorts(ctx context.Context) error {
	external, err := parseExternals(s.config.ExternalIPs)
	if err != nil {
		return err
	}
	machine := localAddrs()
	open := func(flag, addr string, config *tls.Config) error {
		l, err := listenTCP(ctx, flag, addr)
		if err != nil {
			return err
		}
		s.ports = append(s.ports, port{l, config, hostsOf(l.Addr(), external, machine)})
		return nil
	}

	if s.config.Listen != "" {
		if err := s.openCertificate(certificateNames(s.config.Listen, external, machine)); err != nil {
			return err
		}
		if err := open("--listen", s.config.Listen, s.certificate.serve()); err != nil {
			return err
		}
		s.checkCertificate()
	}
	if s.config.ListenPlain != "" {
		return open("--listen-plain", s.config.ListenPlain, nil)
	}
	return nil
}

func (s *Seed) openCertificate(names []string) (err error) {
	if s.config.TLSCert != "" {
		s.certificate, err = loadCertificate(s.config.TLSCert, s.config.TLSKey, s.logger)
		return err
	}
	s.certificate, err = keepCertificate(s.config.StateDir, names, time.Now())
	if err != nil {
		return fmt.Errorf("keep a self-signed certificate in the state directory: %w; "+
			"name a directory that can be written to with --state-dir, or bring a certificate with --tls-cert and --tls-key", err)
	}
	return nil
}

// checkCertificate tells when a self-signed certificate was made before the
// machine had the addresses that it has now. An operator's own certificate has
// the names that it is to have.
func (s *Seed) checkCertificate() {
	missing := s.certificate.missing(s.ports[0].hosts.all())
	if s.certificate.trust != "" && len(missing) > 0 {
		s.logger.Warn("the self-signed certificate does not name every address of this machine; delete tls.pem in the state directory to have a new one made",
			"missing", missing, "state_dir", s.config.StateDir)
	}
}

func (s *Seed) openExchange(ctx context.Context) error {
	ways := []transports.Transport{websocket.New(websocket.Config{}), tcp.New(tcp.Config{})}
	var admit func(exchange.Credentials) (func() bool, error)
	if s.members != nil {
		admit = s.members.admit
	}
	if s.config.WebRTCListen != "" && s.members == nil {
		s.webrtc = webrtc.New(webrtc.Config{
			MuxAddr:     s.config.WebRTCListen,
			ExternalIPs: s.config.ExternalIPs,
			Logger:      s.logger,
		})
		if err := s.webrtc.Bind(); err != nil {
			return listenError("--webrtc-listen", s.config.WebRTCListen, err)
		}
		ways = append(ways, s.webrtc)
	}
	cfg := exchange.Config{
		Transports:  ways,
		Limits:      s.config.Limits.Limits,
		Admit:       admit,
		DiscardData: true,

		VerifyCandidates: s.config.VerifyCandidates,
		AllowRelayedData: s.config.RelayData,
		Mesh:             s.mesh.config(),

		Agent:  s.agent(),
		Logger: s.logger,
		// What strangers do wrong is counted, and logged at a bounded rate, by
		// the exchange itself.
		OnError: func(err error) { s.logger.Debug("connection failed", "err", err) },
	}
	if len(s.config.TURNListen) > 0 {
		// There are no peers before there is an iceHandler.
		cfg.ICEServers = func(p *exchange.Peer) ([]transports.ICEServer, time.Duration) { return s.ice.forPeer(p) }
	}
	var err error
	if s.exchange, err = exchange.New(s.config.NetworkID, cfg); err != nil {
		return err
	}
	if s.mesh != nil {
		s.mesh.exchange = s.exchange
	}
	if s.webrtc != nil {
		return s.exchange.Accept(ctx, transports.WebRTC, transports.Options{})
	}
	return nil
}

// agent is what other nodes are told that this one is.
func (s *Seed) agent() string {
	agent := "peerexchange-seed/" + s.config.Version
	return agent[:min(len(agent), 64)]
}

func (s *Seed) openServer() error {
	addr := s.ports[0].listener.Addr()
	s.document = s.describe()
	s.websockets = websocket.NewHandler(addr, websocket.Config{HandshakeTimeout: s.config.Limits.HandshakeTime})
	s.ice = s.newICE()
	refused := &refusals{logger: s.logger}
	if s.ice != nil {
		s.ice.members, s.ice.refusals = s.members, refused
	}
	api := newAPI(s.members.only(s.websockets, refused), s.served, s.ice)
	s.tellSiblings()
	if s.bootstrap != nil {
		if len(s.advertised()) == 0 {
			s.logger.Warn("the bootstrap document has no entry of this seed yet; it finds its own by --seed-name", "name", s.config.SeedName)
		}
		s.bootstrap.changed = s.tellSiblings
	}
	s.requests = newHandoff(addr)
	trusted, err := parseProxies(s.config.TrustedProxies)
	if err != nil {
		return err
	}
	if network, ok := trusted.everybody(); ok {
		s.logger.Warn("every host is a trusted proxy: whoever reaches the seed can pretend to be anybody", "network", network)
	}
	s.entrance = &entrance{
		handshakeTime: s.config.Limits.HandshakeTime,
		proxies:       trusted,
		exchange:      func(c net.Conn) { s.exchange.ServeConn(c, transports.TCP) },
		requests:      s.requests,
		pending:       pending{most: s.config.Limits.PendingConnections},
		refusals:      refused,
		logger:        s.logger,
		done:          make(chan struct{}),
	}
	if s.turn != nil {
		s.entrance.turn, s.entrance.turns = s.turn.plain, s.turn.secure
	}
	s.server = newServer(api, s.entrance)
	return nil
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
