package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"

	"github.com/pion/stun"
	"golang.org/x/sync/errgroup"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// port is what STUN and TURN URLs lead to: those that have it in common are asked once.
type port struct {
	network string // udp or tcp
	secure  bool
	host    string
	number  int
}

func (p port) address() string { return net.JoinHostPort(p.host, strconv.Itoa(p.number)) }

// portOf is the port of a URL (RFC 7064, RFC 7065).
func portOf(url string) (port, error) {
	uri, err := stun.ParseURI(url)
	if err != nil {
		return port{}, err
	}
	p := port{uri.Proto.String(), uri.IsSecure(), uri.Host, uri.Port}
	if p.secure && p.network != "tcp" {
		return port{}, errors.New("DTLS is not tried")
	}
	return p, nil
}

// reachTURN asks the server of each STUN and TURN URL for a binding, in the way that
// clients reach it: of a seed, it is the TURN server that answers this. It makes no
// allocation, for which it would need credentials, and of which seeds have a limited
// number.
//
// It returns the URLs at which nobody answers, in their order, and why the first of
// them does not, which is a [failure].
func reachTURN(ctx context.Context, urls []string, config *tls.Config) (silent []string, first error) {
	var reaching errgroup.Group
	failures := make(map[port]*error)
	for _, url := range urls {
		p, err := portOf(url)
		if err != nil || failures[p] != nil {
			continue
		}
		failed := new(error)
		failures[p] = failed
		reaching.Go(func() error {
			*failed = reachPort(ctx, p, config)
			return nil
		})
	}
	_ = reaching.Wait() // each has told its own
	for _, url := range urls {
		p, err := portOf(url)
		if err == nil {
			err = *failures[p]
		}
		if err == nil {
			continue
		}
		silent = append(silent, url)
		if first == nil {
			first = explainTURN(url, p, err)
		}
	}
	return silent, first
}

func reachPort(ctx context.Context, p port, config *tls.Config) error {
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, p.network, p.address())
	switch {
	case err != nil:
		return err
	case p.network == "udp":
		return bind(ctx, socket, overPackets)
	case !p.secure:
		return bind(ctx, socket, overStream)
	}
	config = config.Clone()
	config.ServerName = p.host
	secure := tls.Client(socket, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		socket.Close()
		return err
	}
	return bind(ctx, secure, overStream)
}

// explainTURN tells what kind of error it is, and what to look at.
func explainTURN(url string, p port, err error) *failure {
	reason := v1.SeedTURNFailed
	if p.network == "udp" {
		reason = v1.SeedSTUNFailed
	}
	var (
		lookup      *net.DNSError
		certificate *tls.CertificateVerificationError
		operation   *net.OpError
	)
	switch {
	case errors.As(err, &lookup):
		return &failure{reason, fmt.Sprintf("%s: %v: make the DNS record, or let external-dns", url, lookup)}
	case errors.As(err, &certificate):
		return &failure{reason, fmt.Sprintf("%s: %v", url, certificate.Err)}
	case p.network == "udp":
		return &failure{reason, fmt.Sprintf("no answer from %s (%s): is the UDP port open in the firewall?", url, innermost(err))}
	case p == port{}:
		return &failure{reason, fmt.Sprintf("%s: %v", url, err)}
	case errors.As(err, &operation) && operation.Op == "dial", errors.Is(err, context.DeadlineExceeded):
		return &failure{reason, fmt.Sprintf("no answer from %s (%s): is the port open in the firewall, and does a proxy in between pass on what is not HTTP?", url, innermost(err))}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("it hangs up")
	}
	return &failure{reason, fmt.Sprintf("what answers at %s is no TURN server (%s): does a proxy in between pass on what is not HTTP?", url, innermost(err))}
}
