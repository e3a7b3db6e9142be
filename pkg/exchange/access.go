package exchange

import (
	"errors"
	"fmt"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// Credentials are what a node shows that came to this one and wants to be a peer;
// see Config.Admit.
type Credentials struct {
	// Token is what the node presented in its hello (generation 0), or else in the
	// request for its websocket. It is empty if there was none, and has at most
	// transports.MaxTokenBytes.
	Token string
	// Introducer is the peer in between if the connection was negotiated, else
	// nil. Nodes show their token to those whose address they were given by their
	// application, so a node that was introduced shows none.
	Introducer *Peer

	Transport     string
	Protocol      Protocol
	RemoteAddress string // as Peer.RemoteAddress
}

// reasonUnauthorized is what a node is told, and counted as, that Config.Admit refuses.
const reasonUnauthorized = "unauthorized"

// admit asks the application whether the other node may be a peer. token is what
// it presented in its hello. The read loop calls it, before anything of the node
// is entered anywhere.
func (p *Peer) admit(token string) error {
	introducer := p.introducer
	p.introducer = nil
	if p.ex.config.Admit == nil || p.outgoing {
		return nil
	}
	if bearer, ok := p.conn.(transports.Bearer); ok && token == "" {
		token = bearer.Token()
	}
	valid, err := p.ex.config.Admit(Credentials{
		Token:         token,
		Introducer:    introducer,
		Transport:     p.transport,
		Protocol:      p.protocol,
		RemoteAddress: p.RemoteAddress(),
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnauthorized, err)
	}
	p.valid = valid
	return nil
}

// Authorized tells whether what the peer was admitted with is still good, as far
// as Config.Admit said how to know. A peer stays connected when it is not any more;
// this is for what it is to be given anew, such as credentials.
func (p *Peer) Authorized() bool {
	select {
	case <-p.ready:
		return p.valid == nil || p.valid()
	default:
		return false
	}
}

// checkToken tells what is wrong with a token that is to be presented. It is not shown.
func checkToken(token string) error {
	switch {
	case len(token) > transports.MaxTokenBytes:
		return fmt.Errorf("token has %d bytes; at most %d are allowed", len(token), transports.MaxTokenBytes)
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("token has spaces, line ends or other characters than printable ASCII; was it read from a file?")
	}
	return nil
}
