package exchange

import (
	"io"
	"net"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
)

// copyBuffer is what the writer writes and the reader reads at a time.
const copyBuffer = 64 << 10

// BenchmarkData is application data through a Peer over tcp, beside a plain TCP
// copy with the same buffer.
func BenchmarkData(b *testing.B) {
	b.Run("peer", func(b *testing.B) { benchmarkCopy(b, tcpPeers) })
	b.Run("tcp", func(b *testing.B) { benchmarkCopy(b, tcpConns) })
}

func tcpPeers(b *testing.B) (net.Conn, net.Conn) {
	accepted := make(chan *Peer, 1)
	newNode := func(onPeer func(*Peer)) *Exchange {
		ex, err := New("net", Config{Transports: []transports.Transport{tcp.New(tcp.Config{})}, OnPeer: onPeer})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { ex.Close() })
		return ex
	}
	server, client := newNode(func(p *Peer) { accepted <- p }), newNode(nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go server.Serve(l, transports.TCP)
	p, err := client.Connect(b.Context(), transports.TCP, "127.0.0.1", transports.Options{Port: l.Addr().(*net.TCPAddr).Port})
	if err != nil {
		b.Fatal(err)
	}
	return p, <-accepted
}

func tcpConns(b *testing.B) (net.Conn, net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func benchmarkCopy(b *testing.B, pair func(*testing.B) (net.Conn, net.Conn)) {
	client, server := pair(b)
	b.SetBytes(copyBuffer)
	b.ReportAllocs()
	buf := make([]byte, copyBuffer)
	b.ResetTimer()
	go func() {
		for range b.N {
			if _, err := client.Write(buf); err != nil {
				b.Error(err)
				return
			}
		}
	}()
	into := make([]byte, copyBuffer)
	if _, err := io.CopyBuffer(onlyWriter{io.Discard}, onlyReader{io.LimitReader(server, int64(b.N)*copyBuffer)}, into); err != nil {
		b.Fatal(err)
	}
}

// onlyReader and onlyWriter keep io.CopyBuffer to the buffer that it is given.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
