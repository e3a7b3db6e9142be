package seed

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/webrtc"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

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

// checkCertificate tells when clients will not take the certificate: an operator's that
// has expired, which is better than none, or a self-signed one that was made before the
// machine had the addresses that it has now. An operator's own has the names that it is
// to have.
func (s *Seed) checkCertificate() {
	if until := s.certificate.leaf().NotAfter; time.Now().After(until) {
		s.logger.Warn("the certificate has expired, and clients refuse it; put a new one in the place of its files, which is taken over without a restart",
			"file", s.config.TLSCert, "not_after", until.UTC())
	}
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
			MuxAddr:        s.config.WebRTCListen,
			ExternalIPs:    s.config.ExternalIPs,
			AllowCandidate: allowCandidate,
			Logger:         s.logger,
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
