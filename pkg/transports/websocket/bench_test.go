package websocket_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/pkg/transports/internal/testca"
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// These benchmarks count what the accepting side costs. The other side is this
// binary once more, so that its part is not in the numbers. ns/op is no result
// of theirs.
//
//	go test -run xxx -bench Idle -benchtime 5000x ./pkg/transports/websocket
//	go test -run xxx -bench Handshake -benchtime 20000x ./pkg/transports/websocket

// idlers is the environment variable that makes this binary the other side.
const idlers = "WEBSOCKET_BENCH_CLIENT"

// parallel is how many dial at a time: enough to keep the accepting side busy.
const parallel = 16

// server is one of the implementations that are compared.
type server struct {
	name  string
	serve func(b *testing.B, l net.Listener, config *tls.Config, accepted chan<- io.ReadCloser)
}

var servers = []server{
	{"here", serveHere},
	{"gorilla", serveGorilla},
}

func serveHere(b *testing.B, l net.Listener, config *tls.Config, accepted chan<- io.ReadCloser) {
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	wl, err := websocket.New(websocket.Config{}).Listen(b.Context(), transport.Options{
		Host: "127.0.0.1", Port: addr.Port, Secure: config != nil, TLS: config,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { wl.Close() })
	go func() {
		for {
			conn, err := wl.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
}

// gorillaConn reads messages as a stream.
type gorillaConn struct {
	*gorilla.Conn
}

func (c gorillaConn) Read(p []byte) (int, error) {
	_, message, err := c.ReadMessage()
	return copy(p, message), err
}

// serveGorilla is how its documentation does it.
func serveGorilla(b *testing.B, l net.Listener, config *tls.Config, accepted chan<- io.ReadCloser) {
	upgrader := gorilla.Upgrader{}
	server := &http.Server{TLSConfig: config, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			b.Error(err)
			return
		}
		accepted <- gorillaConn{conn}
	})}
	if config != nil {
		go server.ServeTLS(l, "", "")
	} else {
		go server.Serve(l)
	}
	b.Cleanup(func() { server.Close() })
}

// run starts one server and the other side, and gives the accepted connections.
func run(b *testing.B, s server, secure bool, what string, n int) (<-chan io.ReadCloser, *exec.Cmd, io.Closer) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var config *tls.Config
	if secure {
		config = testca.New(b).Server(b, "127.0.0.1")
	}
	accepted := make(chan io.ReadCloser, 16)
	port := l.Addr().(*net.TCPAddr).Port
	s.serve(b, l, config, accepted)
	client := exec.Command(os.Args[0], "-test.run=TestBenchmarkClient")
	client.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d %v", idlers, what, port, n, secure))
	client.Stderr = os.Stderr
	stdin, err := client.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := client.Start(); err != nil {
		b.Fatal(err)
	}
	return accepted, client, stdin
}

// TestBenchmarkClient is the other side of the benchmarks.
func TestBenchmarkClient(t *testing.T) {
	var what string
	var port, n int
	var secure bool
	if _, err := fmt.Sscan(os.Getenv(idlers), &what, &port, &n, &secure); err != nil {
		return // an ordinary test run
	}
	opts := transport.Options{Port: port, Secure: secure, TLS: &tls.Config{InsecureSkipVerify: true}}
	tr := websocket.New(websocket.Config{PingInterval: -1})
	var dialing errgroup.Group
	dialing.SetLimit(parallel)
	conns := make(chan net.Conn, n)
	for range n {
		dialing.Go(func() error {
			conn, err := tr.Dial(t.Context(), "127.0.0.1", opts)
			if err != nil {
				return err
			}
			if what == "handshake" {
				return conn.Close()
			}
			conns <- conn
			return nil
		})
	}
	if err := dialing.Wait(); err != nil {
		t.Fatal(err)
	}
	close(conns)
	io.Copy(io.Discard, os.Stdin)
	for conn := range conns {
		conn.Close()
	}
}

// settled is the process's memory when the collector is through.
func settled(b *testing.B) (resident, goBytes float64) {
	b.Helper()
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return residentBytes(b), float64(m.HeapAlloc + m.StackInuse)
}

func residentBytes(b *testing.B) float64 {
	b.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		b.Skip("no /proc here")
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, err := strconv.Atoi(fields[1])
			if err != nil {
				b.Fatal(err)
			}
			return float64(kib) * 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

func scheme(secure bool) string {
	if secure {
		return "wss"
	}
	return "ws"
}

// BenchmarkIdle measures b.N connections, each with a goroutine that reads.
func BenchmarkIdle(b *testing.B) {
	for _, s := range servers {
		for _, secure := range []bool{false, true} {
			b.Run(s.name+"/"+scheme(secure), func(b *testing.B) {
				accepted, client, stdin := run(b, s, secure, "idle", b.N)
				residentBefore, goBefore := settled(b)
				conns := make([]io.ReadCloser, 0, b.N)
				for range b.N {
					conn := <-accepted
					conns = append(conns, conn)
					go func() {
						buf := make([]byte, 512)
						for {
							if _, err := conn.Read(buf); err != nil {
								return
							}
						}
					}()
				}
				resident, goBytes := settled(b)
				b.ReportMetric((resident-residentBefore)/1024/float64(b.N), "KiB-resident/conn")
				b.ReportMetric((goBytes-goBefore)/1024/float64(b.N), "KiB-go/conn")
				stdin.Close()
				for _, conn := range conns {
					conn.Close()
				}
				client.Wait()
			})
		}
	}
}

// BenchmarkHandshake measures the accepting side's CPU time, kernel included.
func BenchmarkHandshake(b *testing.B) {
	for _, s := range servers {
		for _, secure := range []bool{false, true} {
			b.Run(s.name+"/"+scheme(secure), func(b *testing.B) {
				accepted, client, stdin := run(b, s, secure, "handshake", b.N)
				conn := <-accepted // the other side has started
				conn.Close()
				before := cpu(b)
				for range b.N - 1 {
					conn := <-accepted
					conn.Close()
				}
				b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "µs-cpu/handshake")
				stdin.Close()
				client.Wait()
			})
		}
	}
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
