package seed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// port is one address that the seed listens on.
type port struct {
	listener net.Listener
	tls      *tls.Config // nil without TLS
	hosts    hosts
}

// keepAlive has the kernel find out that a client vanished, for protocols that
// have no pings: the exchange's own with old clients, for one. For websockets and
// HTTP, which have timeouts of their own, its four system calls are saved.
func keepAlive(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		// An error is that of the connection, and will be seen when it is used.
		_ = tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3})
	}
}

// listenTCP opens a port. flag is what chose the address.
func listenTCP(ctx context.Context, flag, addr string) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1} // see keepAlive
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, listenError(flag, addr, err)
	}
	return l, nil
}

// listenError adds what to do about it.
func listenError(flag, addr string, err error) error {
	hint := ""
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = errno // the rest of it says the address again, perhaps once for each of the machine's
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = fmt.Sprintf("; another program has this port, perhaps another seed: choose another one with %s, or turn it off with %s off", flag, flag)
	case errors.Is(err, syscall.EACCES):
		hint = fmt.Sprintf("; ports below 1024 need a privilege: choose a higher one with %s, or give the program CAP_NET_BIND_SERVICE", flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = fmt.Sprintf("; this machine has no such address: leave the host out to listen on all, as in %s :8443", flag)
	}
	return fmt.Errorf("listen on %s (%s): %w%s", addr, flag, err, hint)
}
