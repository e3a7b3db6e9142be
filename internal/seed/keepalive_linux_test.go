package seed

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
	"testing"
)

// tellingListener tells what it has accepted.
type tellingListener struct {
	net.Listener
	accepted chan *net.TCPConn
}

func (l tellingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted <- conn.(*net.TCPConn)
	}
	return conn, err
}

func socketOption(t *testing.T, conn *net.TCPConn, level, name int) (value int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { value, failed = syscall.GetsockoptInt(int(fd), level, name) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return value
}

// That an old client or one of TURN has vanished shows by the kernel's probes alone.
// Requests have timeouts, and websockets pings.
func TestKeepAliveOfWhatHasNoPings(t *testing.T) {
	server, client := testTLS(t)
	for name, config := range map[string]*tls.Config{"plain": nil, "TLS": server} {
		t.Run(name, func(t *testing.T) {
			opened, err := listenTCP(t.Context(), "--listen", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l := tellingListener{opened, make(chan *net.TCPConn, 1)}
			e := startEntrance(t, 10, nil)
			defer e.end(t)
			served := make(chan error, 1)
			go func() { served <- e.serve(l, config, undecided) }()
			defer func() {
				l.Close()
				if err := <-served; err != nil {
					t.Error(err)
				}
			}()
			for _, start := range starts {
				conn, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				if config != nil {
					conn = tls.Client(conn, client)
				}
				for _, piece := range start.pieces {
					if _, err := io.WriteString(conn, piece); err != nil {
						t.Fatal(err)
					}
				}
				raw := <-l.accepted
				led := e.led(start.want, config != nil)
				on := socketOption(t, raw, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
				if want := start.want != httpRequest; (on != 0) != want {
					t.Errorf("%s: keepalive is %d, want it on: %v", start.name, on, want)
				}
				if on != 0 {
					for option, want := range map[int]int{syscall.TCP_KEEPIDLE: 30, syscall.TCP_KEEPINTVL: 10, syscall.TCP_KEEPCNT: 3} {
						if got := socketOption(t, raw, syscall.IPPROTO_TCP, option); got != want {
							t.Errorf("%s: socket option %d is %d, want %d", start.name, option, got, want)
						}
					}
				}
				led.Close()
				conn.Close()
			}
		})
	}
}
