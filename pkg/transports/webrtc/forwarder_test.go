package webrtc

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// forwarder maps a UDP port to another one, as a 1:1 NAT does. It serves one
// node on the outside.
type forwarder struct {
	outside, inside net.PacketConn
	target          net.Addr

	mu   sync.Mutex
	peer net.Addr
}

func newForwarder(t *testing.T, target net.Addr) *forwarder {
	t.Helper()
	listen := func() net.PacketConn {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	f := &forwarder{outside: listen(), inside: listen(), target: target}
	var running sync.WaitGroup
	running.Go(func() {
		forward(f.outside, func(p []byte, from net.Addr) {
			f.mu.Lock()
			f.peer = from
			f.mu.Unlock()
			f.inside.WriteTo(p, f.target)
		})
	})
	running.Go(func() {
		forward(f.inside, func(p []byte, _ net.Addr) {
			f.mu.Lock()
			peer := f.peer
			f.mu.Unlock()
			f.outside.WriteTo(p, peer)
		})
	})
	t.Cleanup(func() {
		f.outside.Close()
		f.inside.Close()
		running.Wait()
	})
	return f
}

func forward(conn net.PacketConn, pass func(p []byte, from net.Addr)) {
	buf := make([]byte, 65536)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		pass(buf[:n], from)
	}
}

func (f *forwarder) addr() netip.AddrPort {
	return f.outside.LocalAddr().(*net.UDPAddr).AddrPort()
}

// behindNAT announces the forwarder's address in place of every candidate, and
// takes no candidate, so that there is no other path.
type behindNAT struct {
	*wire
	nat netip.AddrPort
}

func (b *behindNAT) Send(ctx context.Context, signal json.RawMessage) error {
	if strings.Contains(string(signal), `"candidate":`) {
		line := fmt.Sprintf("candidate:1 1 udp 1694498815 %s %d typ srflx raddr 0.0.0.0 rport 0", b.nat.Addr(), b.nat.Port())
		raw, err := encodeSignal(candidateSignal{candidate{Candidate: line, SDPMid: "0"}})
		if err != nil {
			return err
		}
		signal = raw
	}
	return b.wire.Send(ctx, signal)
}

func (b *behindNAT) Receive(ctx context.Context) (json.RawMessage, error) {
	for {
		raw, err := b.wire.Receive(ctx)
		if err != nil || !strings.Contains(string(raw), `"candidate":`) {
			return raw, err
		}
	}
}
