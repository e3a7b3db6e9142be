package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// reachTime is how long a seed may take to be reached at one address.
const reachTime = 10 * time.Second

// Target is a seed as clients see it.
type Target struct {
	NetworkID string
	// Addresses are URLs of the exchange, and TURN those of STUN and TURN.
	Addresses, TURN []string
	// Authorities are certificates that clients trust, in PEM; empty is the system's.
	Authorities []byte
}

// Prober reaches seeds.
type Prober struct{}

// failure is why a seed was not reached.
type failure struct {
	reason v1.SeedReason
	text   string
}

func (f *failure) Error() string { return f.text }

// Sighting is how it was to reach a seed.
type Sighting struct {
	// Reason is [v1.SeedReached] if all was reached, and else why the first was not.
	Reason v1.SeedReason
	// Message says the same for a person.
	Message string
	// Reachable tells whether it was reached at an address of the exchange at least.
	Reachable bool
	// Silent are the URLs, of the exchange and of STUN and TURN, at which it was not
	// reached. Untrusted are those of the exchange whose certificate is not good.
	Silent, Untrusted []string
}

// Loses tells whether there is something that was reached before and is not now.
func (s Sighting) Loses(now Sighting) bool {
	return s.Reachable && (!now.Reachable ||
		slices.ContainsFunc(now.Silent, func(url string) bool { return !slices.Contains(s.Silent, url) }))
}

// Equal tells whether they say the same.
func (s Sighting) Equal(other Sighting) bool {
	return s.Reason == other.Reason && s.Message == other.Message && s.Reachable == other.Reachable &&
		slices.Equal(s.Silent, other.Silent) && slices.Equal(s.Untrusted, other.Untrusted)
}

// Reach connects to a seed at each of its addresses, and asks its STUN and TURN server
// at each of its own. It tells the first that fails, in a word and for a person; an
// address of the exchange before those, since without any the seed is of no use.
func (Prober) Reach(ctx context.Context, t Target) Sighting {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots(t.Authorities)}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	failures := make([]error, len(t.Addresses)+1)
	var silentTURN []string
	var reaching errgroup.Group
	for i, address := range t.Addresses {
		reaching.Go(func() error {
			failures[i] = reachAddress(ctx, t.NetworkID, address, config)
			return nil
		})
	}
	reaching.Go(func() error {
		silentTURN, failures[len(t.Addresses)] = reachTURN(ctx, t.TURN, config)
		return nil
	})
	_ = reaching.Wait() // each has told its own
	return sum(t.Addresses, failures, silentTURN)
}

// sum makes one of what was found at each address of the exchange, and of STUN and TURN
// after these.
func sum(addresses []string, failures []error, silentTURN []string) Sighting {
	var s Sighting
	var first *failure
	for i, err := range failures {
		var failed *failure
		if !errors.As(err, &failed) {
			s.Reachable = s.Reachable || i < len(addresses)
			continue
		}
		if first == nil {
			first = failed
		}
		if i < len(addresses) {
			s.Silent = append(s.Silent, addresses[i])
			if failed.reason == v1.SeedTLSFailed {
				s.Untrusted = append(s.Untrusted, addresses[i])
			}
		}
	}
	s.Silent = append(s.Silent, silentTURN...)
	if first == nil {
		s.Reason, s.Message = v1.SeedReached, "reached at every address"
		return s
	}
	s.Reason, s.Message = first.reason, first.text
	if s.Reachable {
		if !strings.HasSuffix(s.Message, "?") {
			s.Message += "."
		}
		s.Message += " Published is all but " + strings.Join(s.Silent, ", ")
	}
	return s
}

// roots are what a certificate has to be of; nil is the system's. Of an issuer that is
// publicly trusted, a Secret of cert-manager may have an empty list.
func roots(authorities []byte) *x509.CertPool {
	if len(authorities) == 0 {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authorities)
	return pool
}

// reachAddress is nil, or a [failure].
func reachAddress(ctx context.Context, networkID, address string, config *tls.Config) error {
	if err := exchange.CheckURL(address); err != nil {
		return &failure{v1.SeedDialFailed, err.Error()} // the document could not have it either
	}
	name, host, options, err := target(address, config)
	if err != nil {
		return &failure{v1.SeedDialFailed, err.Error()}
	}
	ex, err := exchange.New(networkID, exchange.Config{
		Transports: []transports.Transport{websocket.New(websocket.Config{}), tcp.New(tcp.Config{})},
	})
	if err != nil {
		return &failure{v1.SeedHandshakeFailed, err.Error()}
	}
	defer ex.Close()
	_, err = ex.Connect(ctx, name, host, options)
	if err == nil || errors.Is(err, exchange.ErrUnauthorized) {
		return nil // a seed that asks for a token is one that works
	}
	return explain(address, err)
}

// target takes an address apart.
func target(address string, config *tls.Config) (name, host string, options transports.Options, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", options, err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return "", "", options, fmt.Errorf("%s has no port", address)
	}
	options = transports.Options{Port: int(port)}
	switch scheme := v1.TransportScheme(u.Scheme); scheme {
	case v1.SchemeWSS, v1.SchemeWS:
		name = transports.WebSocket
		options.Secure = scheme.Secure()
	case v1.SchemeTLS, v1.SchemeTCP:
		name = transports.TCP
		options.Secure = scheme.Secure()
	default:
		return "", "", options, fmt.Errorf("%s is of no transport", address)
	}
	if options.Secure {
		options.TLS = config
	}
	return name, u.Hostname(), options, nil
}

// explain tells what kind of error it is, and what to look at.
func explain(address string, err error) *failure {
	var (
		lookup      *net.DNSError
		certificate *tls.CertificateVerificationError
		operation   *net.OpError
	)
	switch {
	case errors.As(err, &lookup):
		return &failure{v1.SeedResolveFailed, fmt.Sprintf("%s: %v: make the DNS record, or let external-dns", address, lookup)}
	case errors.As(err, &certificate):
		return &failure{v1.SeedTLSFailed, fmt.Sprintf("%s: %v", address, certificate.Err)}
	case errors.Is(err, exchange.ErrNetworkMismatch), errors.Is(err, exchange.ErrVersionMismatch):
		return &failure{v1.SeedHandshakeFailed, fmt.Sprintf("%s leads to a seed of another network: %v", address, err)}
	case errors.As(err, &operation) && operation.Op == "dial", errors.Is(err, context.DeadlineExceeded):
		return &failure{v1.SeedDialFailed, fmt.Sprintf("nothing answers at %s (%s): is the port open in the firewall?", address, innermost(err))}
	}
	return &failure{v1.SeedHandshakeFailed, fmt.Sprintf("what answers at %s is no seed: %s", address, innermost(err))}
}

// innermost is the last part of an error's text, which does not change from one try to
// the next as ports in it do.
func innermost(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("nothing within %v", reachTime)
	}
	text := err.Error()
	return strings.TrimSpace(text[strings.LastIndex(text, ": ")+1:])
}
