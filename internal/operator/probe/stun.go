package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pion/stun"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// resend is how long an answer is waited for before the question is asked again.
const resend = 500 * time.Millisecond

// reachSTUN asks each STUN server of the URLs. It is nil, or a [failure].
func reachSTUN(ctx context.Context, urls []string) error {
	for _, url := range urls {
		server, ok := strings.CutPrefix(url, "stun:")
		if !ok {
			continue
		}
		if err := bind(ctx, server); err != nil {
			return &failure{v1.SeedSTUNFailed, fmt.Sprintf("no answer from %s (%s): is the UDP port open in the firewall?", url, innermost(err))}
		}
	}
	return nil
}

// bind asks a server where it sees this machine (RFC 8489), again and again until
// there is an answer or ctx ends.
func bind(ctx context.Context, server string) error {
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return err
	}
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, "udp", server)
	if err != nil {
		return err
	}
	defer socket.Close()
	// A host that refuses says so at once, and may take the question a moment later.
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer stop()
	answer := make([]byte, 1500)
	for ctx.Err() == nil {
		if _, err := socket.Write(request.Raw); err != nil {
			return err
		}
		socket.SetReadDeadline(time.Now().Add(resend))
		n, err := socket.Read(answer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case err != nil:
			return errors.Join(ctx.Err(), err)
		}
		message := &stun.Message{Raw: answer[:n]}
		if message.Decode() == nil && message.TransactionID == request.TransactionID && message.Type == stun.BindingSuccess {
			return nil
		}
	}
	return ctx.Err()
}
