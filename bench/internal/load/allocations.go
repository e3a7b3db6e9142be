package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/pion/logging"
	pionturn "github.com/pion/turn/v2"
	"golang.org/x/sync/errgroup"
)

// Allocations takes TURN allocations until the seed gives no more, keeps them, and goes
// on to ask. What it counts are those it got.
type Allocations struct {
	Every time.Duration // between two requests for more

	counter
	local      string // the host that it comes from
	at         string // the TURN server
	user, pass string
}

// Setup implements [Workload]: it gets credentials.
func (l *Allocations) Setup(ctx context.Context, t Target) error {
	l.local, l.at = t.From, t.TURN
	client := &http.Client{Transport: &http.Transport{DialContext: t.dialer().DialContext, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.Addr+"/ice", http.NoBody)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var ice struct {
		ICEServers []struct{ Username, Credential string }
	}
	if err := json.NewDecoder(res.Body).Decode(&ice); err != nil {
		return fmt.Errorf("ICE servers: %w", err)
	}
	if len(ice.ICEServers) != 2 {
		return fmt.Errorf("there are %d ICE servers", len(ice.ICEServers))
	}
	l.user, l.pass = ice.ICEServers[1].Username, ice.ICEServers[1].Credential
	return nil
}

// Run implements [Workload].
func (l *Allocations) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	next := time.NewTicker(l.Every)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return group.Wait()
		case <-next.C:
			group.Go(func() error { return l.allocate(ctx) })
		}
	}
}

// allocate takes one and keeps it until ctx is done.
func (l *Allocations) allocate(ctx context.Context) error {
	conn, err := net.ListenPacket("udp4", net.JoinHostPort(l.local, "0"))
	if err != nil {
		return err
	}
	defer conn.Close()
	client, err := pionturn.NewClient(&pionturn.ClientConfig{
		TURNServerAddr: l.at, Conn: conn, Username: l.user, Password: l.pass,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		return err
	}
	relay, err := client.Allocate()
	if err != nil {
		return nil //nolint:nilerr // there are no more, which is what it is for
	}
	l.Add(1)
	<-ctx.Done()
	return relay.Close()
}
