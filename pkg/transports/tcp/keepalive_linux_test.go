package tcp_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// probes are what the kernel does on a connection that is silent.
type probes struct {
	on, idle, interval, count int // the times in seconds
}

func probesOf(t *testing.T, conn net.Conn) (p probes) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	option := func(fd uintptr, level, name int) int {
		value, err := syscall.GetsockoptInt(int(fd), level, name)
		if err != nil {
			t.Error(err)
		}
		return value
	}
	if err := raw.Control(func(fd uintptr) {
		p = probes{
			on:       option(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE),
			idle:     option(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE),
			interval: option(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL),
			count:    option(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT),
		}
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

// npm nodes have no ping: that one has vanished shows by the kernel's probes alone.
func TestKeepAlive(t *testing.T) {
	for _, test := range []struct {
		config time.Duration
		want   probes
	}{
		{0, probes{1, 30, 10, 3}},
		{time.Minute, probes{1, 60, 20, 3}},
		{-1, probes{on: 0}},
	} {
		tr := tcp.New(tcp.Config{KeepAlive: test.config})
		l, err := tr.Listen(t.Context(), transport.Options{Host: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		dialed, err := tr.Dial(t.Context(), "127.0.0.1", transport.Options{Port: l.Addr().(*net.TCPAddr).Port})
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		for side, conn := range map[string]net.Conn{"dialed": dialed, "accepted": accepted} {
			got := probesOf(t, conn)
			if got.on == 0 {
				got = probes{} // the times mean nothing
			}
			if got != test.want {
				t.Errorf("keepalive of %v: the %s connection has %+v, want %+v", test.config, side, got, test.want)
			}
			conn.Close()
		}
		l.Close()
	}
}
