package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	pionturn "github.com/pion/turn/v2"

	"github.com/peerexchange/peerexchange/internal/turn"
)

// What all servers are configured with.
const (
	secret = "benchmark"
	realm  = "bench"
)

var (
	relayIP = netip.MustParseAddr("127.0.0.1")
	peerIP  = netip.MustParseAddr("127.0.0.2") // another than the server's own, which it would deny
)

// serve runs a server until it is told to end: this repository's, or pion/turn as it comes.
func serve(which string, port int) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	switch which {
	case here:
		return serveHere(ctx, address)
	case pion:
		return servePion(ctx, address)
	}
	return fmt.Errorf("there is no server %q", which)
}

func serveHere(ctx context.Context, address string) error {
	server, err := turn.New(turn.Config{
		Realm:      realm,
		Secrets:    func() [][]byte { return [][]byte{[]byte(secret)} },
		RelayIPs:   []turn.RelayIP{{Announce: relayIP}},
		UDP:        []string{address},
		TCP:        []string{address},
		AllowPeers: []netip.Prefix{netip.PrefixFrom(peerIP, peerIP.BitLen())},
		Limits: turn.Limits{
			BytesPerAllocation: 1 << 40, Bytes: 1 << 40, // counted, but never reached
			AllocationsPerCredential: turn.Unlimited, AllocationsPerClient: turn.Unlimited,
			Challenges: turn.Unlimited,
		},
	})
	if err != nil {
		return err
	}
	return server.Run(ctx)
}

func servePion(ctx context.Context, address string) error {
	conn, err := net.ListenPacket("udp4", address)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	generator := &pionturn.RelayAddressGeneratorStatic{RelayAddress: relayIP.AsSlice(), Address: relayIP.String()}
	server, err := pionturn.NewServer(pionturn.ServerConfig{
		Realm:             realm,
		AuthHandler:       restHandler(secret),
		PacketConnConfigs: []pionturn.PacketConnConfig{{PacketConn: conn, RelayAddressGenerator: generator}},
		ListenerConfigs:   []pionturn.ListenerConfig{{Listener: l, RelayAddressGenerator: generator}},
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return server.Close()
}

// restHandler accepts "expiry:name", which pion's own handler does not know.
func restHandler(secret string) pionturn.AuthHandler {
	return func(username, realm string, _ net.Addr) ([]byte, bool) {
		return pionturn.GenerateAuthKey(username, realm, turn.Password([]byte(secret), username)), true
	}
}
