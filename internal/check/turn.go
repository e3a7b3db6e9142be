package check

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// turnBy tries the TURN servers that are reached in one way.
func turnBy(w way) func(*Check, context.Context) Step {
	return func(c *Check, ctx context.Context) Step { return c.turn(ctx, w) }
}

// turn makes two allocations, which send something to each other: the seed's own
// relayed addresses are what TURN clients may always talk to.
func (c *Check) turn(ctx context.Context, w way) Step {
	if len(c.servers[w]) == 0 {
		return moot("the seed offers none")
	}
	var at []string
	private := false
	for _, s := range c.servers[w] {
		from, err := c.echo(ctx, s)
		if err != nil {
			return failed(c.turnHint(err, s, w), "%s: %s", s.url, c.why(err))
		}
		private = private || c.isPublic() && !isPublicIP(from.Addr())
		at = append(at, fmt.Sprintf("%s relays at %v", s.addr(), from))
	}
	found := strings.Join(at, "; ")
	if private {
		return warning("Nobody reaches that address from elsewhere: start the seed with --external-ip, or --turn-relay-ip, and the address that the machine has for others.", "%s", found)
	}
	return ok("%s", found)
}

// echoError says that nothing came through.
type echoError struct{ from, to netip.AddrPort }

func (e *echoError) Error() string {
	return fmt.Sprintf("both allocations are made, and nothing comes through from %v to %v", e.from, e.to)
}

// echo sends something from one allocation to another one, and back. It returns
// a relayed address.
func (c *Check) echo(ctx context.Context, s iceServer) (netip.AddrPort, error) {
	a, err := c.allocate(ctx, s)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("allocate: %w", err)
	}
	defer a.close()
	b, err := c.allocate(ctx, s)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("allocate a second time: %w", err)
	}
	defer b.close()
	// Who is to be heard has to be permitted; whom one sends to is permitted with that.
	if err := b.client.CreatePermission(a.LocalAddr()); err != nil {
		return netip.AddrPort{}, fmt.Errorf("permit %v: %w", a.LocalAddr(), orContext(ctx, err))
	}
	if _, err := deliver(ctx, a, b, b.LocalAddr()); err != nil {
		return netip.AddrPort{}, err
	}
	if _, err := deliver(ctx, b, a, a.LocalAddr()); err != nil {
		return netip.AddrPort{}, err
	}
	return a.relayed(), nil
}

// packets is a socket, or what is relayed.
type packets interface {
	net.PacketConn
	relayed() netip.AddrPort
}

// deliver sends a message until it arrives, since UDP may lose it. It returns whom
// the receiver takes it to be from.
func deliver(ctx context.Context, from, to packets, at net.Addr) (net.Addr, error) {
	// No shorter than what pion can tell from the beginning of something longer.
	message := make([]byte, 32)
	rand.Read(message) // never fails
	buf := make([]byte, 1500)
	for ctx.Err() == nil {
		if _, err := from.WriteTo(message, at); err != nil {
			return nil, fmt.Errorf("send to %v: %w", at, orContext(ctx, err))
		}
		to.SetReadDeadline(soon(ctx))
		for {
			n, sender, err := to.ReadFrom(buf)
			if err == nil && bytes.Equal(buf[:n], message) {
				return sender, nil
			}
			if isTimeout(err) {
				break
			}
			if err != nil {
				return nil, orContext(ctx, err)
			}
		}
	}
	return nil, &echoError{from.relayed(), to.relayed()}
}

// orContext prefers the context's error to what comes of its end.
func orContext(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// isRefused tells whether a TURN server has answered with an error code. The
// client has it in the text of its errors only.
func isRefused(err error, code int) bool {
	return err != nil && strings.Contains(err.Error(), fmt.Sprintf("(error %d:", code))
}

func (c *Check) turnHint(err error, s iceServer, w way) string {
	var certificate *tls.CertificateVerificationError
	var lost *echoError
	switch {
	case errors.As(err, &lost) && lost.from.Addr() != lost.to.Addr():
		return "Two seeds have answered at this name, and what one relays does not get to the other: are the UDP ports of --turn-relay-ports open between them? Clients of the two that reach nothing but TURN do not meet."
	case lost != nil:
		return "The seed cannot send to its own relayed addresses: is the relay IP (--turn-relay-ip, or the first --external-ip) an address of its machine, or one whose packets arrive there with the same ports? " +
			"Or have two seeds of one address answered?"
	case errors.As(err, new(*net.DNSError)), errors.Is(err, errNoIPv4):
		return resolveHint(err)
	case errors.As(err, &certificate):
		return c.certificateHint(err, certificate.UnverifiedCertificates)
	case isRefused(err, 401), isRefused(err, 400): // other servers than the seed say 400
		return "The credentials that /ice has just given out are not taken. Do several seeds answer at this name? Then all of them need the same --turn-secret-file. If the seed's clock was changed: restart it."
	case isRefused(err, 403):
		return "The seed denies its own relayed addresses as peers: is its relay IP in a network of --turn-deny-peer?"
	case isRefused(err, 486):
		return "Too many allocations from this address or with these credentials: turn-allocations-per-client and -per-credential, in docs/limits.md."
	case isRefused(err, 508):
		return "The seed has no more room: --limit turn-allocations, or the ports of --turn-relay-ports are used up."
	}
	return fmt.Sprintf("Is %s open, in the cloud's firewall too, and does it lead to the seed?", s.port(w))
}
