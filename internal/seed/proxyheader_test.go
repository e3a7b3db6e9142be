package seed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pires/go-proxyproto"
)

// v2 is a header of version 2: command and family, and what follows the length.
func v2(command, family byte, tail ...byte) string {
	b := append([]byte(proxySignature), command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(tail)))
	return string(append(b, tail...))
}

const (
	v2Local, v2Proxy = 0x20, 0x21
	v2TCP4, v2TCP6   = 0x11, 0x21
)

var (
	v2Addrs4 = []byte{192, 0, 2, 1, 198, 51, 100, 1, 0x13, 0x88, 0x20, 0xfb}
	v2Addrs6 = append(append(append([]byte{}, net.ParseIP("2001:db8::1")...), net.ParseIP("2001:db8::2")...), 0x13, 0x88, 0x20, 0xfb)
)

// with returns a followed by b, in memory of its own.
func with(a []byte, b ...byte) []byte { return append(bytes.Clone(a), b...) }

var goodHeaders = []struct {
	name, header string
	want         string // client; empty for none
}{
	{"none", "", ""},
	{"v1 TCP4", "PROXY TCP4 192.0.2.1 198.51.100.1 5000 8443\r\n", "192.0.2.1:5000"},
	{"v1 TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 5000 8443\r\n", "[2001:db8::1]:5000"},
	{"v1 UNKNOWN", "PROXY UNKNOWN\r\n", ""},
	{"v1 UNKNOWN of 107 bytes", "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", ""},
	{"v2 TCP4", v2(v2Proxy, v2TCP4, v2Addrs4...), "192.0.2.1:5000"},
	{"v2 TCP6", v2(v2Proxy, v2TCP6, v2Addrs6...), "[2001:db8::1]:5000"},
	{"v2 TCP6 that carries IPv4", v2(v2Proxy, v2TCP6, with(with(net.IPv4(192, 0, 2, 1).To16(), net.ParseIP("2001:db8::2")...), 0x13, 0x88, 0, 1)...), "192.0.2.1:5000"},
	{"v2 with extensions", v2(v2Proxy, v2TCP4, with(v2Addrs4, 0x04, 0, 3, 0, 0, 0)...), "192.0.2.1:5000"},
	{"v2 with the longest extensions", v2(v2Proxy, v2TCP4, with(v2Addrs4, make([]byte, maxProxyTail-len(v2Addrs4))...)...), "192.0.2.1:5000"},
	{"v2 LOCAL", v2(v2Local, 0), ""},
	{"v2 LOCAL with addresses", v2(v2Local, v2TCP4, v2Addrs4...), ""},
	{"v2 LOCAL with extensions only", v2(v2Local, 0, 0x04, 0, 1, 0), ""},
	{"v2 of a Unix socket", v2(v2Proxy, 0x31, make([]byte, 216)...), ""},
}

var badHeaders = []struct{ name, header string }{
	{"v1 without addresses", "PROXY TCP4\r\n"},
	{"v1 of another family", "PROXY TCP5 192.0.2.1 198.51.100.1 5000 8443\r\n"},
	{"v1 UDP4", "PROXY UDP4 192.0.2.1 198.51.100.1 5000 8443\r\n"},
	{"v1 in small letters", "PROXY tcp4 192.0.2.1 198.51.100.1 5000 8443\r\n"},
	{"v1 with the other family's address", "PROXY TCP4 2001:db8::1 2001:db8::2 5000 8443\r\n"},
	{"v1 with a zone", "PROXY TCP6 fe80::1%eth0 2001:db8::2 5000 8443\r\n"},
	{"v1 with too large a port", "PROXY TCP4 192.0.2.1 198.51.100.1 65536 8443\r\n"},
	{"v1 with a negative port", "PROXY TCP4 192.0.2.1 198.51.100.1 -1 8443\r\n"},
	{"v1 with a name", "PROXY TCP4 localhost 198.51.100.1 5000 8443\r\n"},
	{"v1 with two spaces", "PROXY TCP4  192.0.2.1 198.51.100.1 5000 8443\r\n"},
	{"v1 with more", "PROXY TCP4 192.0.2.1 198.51.100.1 5000 8443 x\r\n"},
	{"v1 with LF only", "PROXY TCP4 192.0.2.1 198.51.100.1 5000 8443\n"},
	{"v1 that does not end", "PROXY " + strings.Repeat("x", 1000)},
	{"v1 of 108 bytes", "PROXY UNKNOWN " + strings.Repeat("x", 92) + "\r\n"},
	{"v1 from nowhere", "PROXY TCP4 0.0.0.0 198.51.100.1 5000 8443\r\n"},
	{"v1 from a group", "PROXY TCP6 ff02::1 2001:db8::2 5000 8443\r\n"},
	{"v2 of version 1", v2(0x11, v2TCP4, v2Addrs4...)},
	{"v2 of version 3", v2(0x31, v2TCP4, v2Addrs4...)},
	{"v2 with an unknown command", v2(0x22, v2TCP4, v2Addrs4...)},
	{"v2 with an unknown family", v2(v2Proxy, 0x41, v2Addrs4...)},
	{"v2 with an unknown transport", v2(v2Proxy, 0x13, v2Addrs4...)},
	{"v2 LOCAL with an unknown family", v2(v2Local, 0x41)},
	{"v2 without a family", v2(v2Proxy, 0)},
	{"v2 UDP4", v2(v2Proxy, 0x12, v2Addrs4...)},
	{"v2 UDP6", v2(v2Proxy, 0x22, v2Addrs6...)},
	{"v2 of a Unix datagram socket", v2(v2Proxy, 0x32, make([]byte, 216)...)},
	{"v2 without addresses", v2(v2Proxy, v2TCP4)},
	{"v2 with half an address", v2(v2Proxy, v2TCP4, v2Addrs4[:6]...)},
	{"v2 TCP6 with addresses of IPv4", v2(v2Proxy, v2TCP6, v2Addrs4...)},
	{"v2 that is too long", v2(v2Proxy, v2TCP4, make([]byte, maxProxyTail+1)...)},
	{"v2 that is as long as can be said", v2(v2Local, 0, make([]byte, 65535)...)},
	{"v2 from nowhere", v2(v2Proxy, v2TCP6, make([]byte, 36)...)},
}

// pieces are the ways in which bytes come in.
var pieces = map[string]func(io.Reader) io.Reader{
	"at once":            func(r io.Reader) io.Reader { return r },
	"byte by byte":       iotest.OneByteReader,
	"in halves":          iotest.HalfReader,
	"with the end along": iotest.DataErrReader,
}

func TestGoodProxyHeaders(t *testing.T) {
	// Whatever follows is not lost, and not looked at.
	for _, next := range []string{"\x00\x03pxp\x02\x02{}", "#PXP#", "GET / HTTP/1.1\r\n\r\n", "P\x03pxp", "PROXY TCP4 203.0.113.1 198.51.100.1 1 2\r\n"} {
		for _, c := range goodHeaders {
			if c.header == "" && strings.HasPrefix(next, "PROXY") {
				continue
			}
			for how, in := range pieces {
				r := in(strings.NewReader(c.header + next))
				client, rest, err := readProxyHeader(r)
				if err != nil {
					t.Errorf("%s, %s: %v", c.name, how, err)
					continue
				}
				got := ""
				if client != nil {
					got = client.String()
				}
				if got != c.want {
					t.Errorf("%s, %s: client is %q, want %q", c.name, how, got, c.want)
				}
				if more, err := io.ReadAll(r); err != nil || string(rest)+string(more) != next {
					t.Errorf("%s, %s: went on with %q and %q, %v; want %q", c.name, how, rest, more, err, next)
				}
			}
		}
	}
}

func TestBadProxyHeaders(t *testing.T) {
	for _, c := range badHeaders {
		for how, in := range pieces {
			// What follows must not make up for what is missing.
			client, _, err := readProxyHeader(in(strings.NewReader(c.header + strings.Repeat("\x00", 64))))
			if !errors.Is(err, errProxyHeader) {
				t.Errorf("%s, %s: client %v, error %v; want errProxyHeader", c.name, how, client, err)
			}
		}
	}
}

// TestProxyHeaderIsBounded counts what is read of a header without an end.
func TestProxyHeaderIsBounded(t *testing.T) {
	for name, begin := range map[string]string{"v1": "PROXY ", "v2": proxySignature + "\x21\x11\xff\xff"} {
		endless := &countingReader{r: io.MultiReader(strings.NewReader(begin), neverEnding('x'))}
		if _, _, err := readProxyHeader(endless); !errors.Is(err, errProxyHeader) {
			t.Errorf("%s: %v, want errProxyHeader", name, err)
		}
		if endless.n > 1024 {
			t.Errorf("%s: read %d bytes before it was refused", name, endless.n)
		}
	}
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// TestProxyHeaderThatStops ends the connection after each byte of a header.
func TestProxyHeaderThatStops(t *testing.T) {
	for _, header := range []string{"PROXY TCP4 192.0.2.1 198.51.100.1 5000 8443\r\n", v2(v2Proxy, v2TCP4, v2Addrs4...)} {
		for n := range len(header) {
			for _, end := range []error{io.EOF, os.ErrDeadlineExceeded} {
				r := io.MultiReader(strings.NewReader(header[:n]), iotest.ErrReader(end))
				if client, _, err := readProxyHeader(r); err != end {
					t.Fatalf("after %q: %v, %v, want %v", header[:n], client, err, end)
				}
			}
		}
	}
}

// FuzzReadProxyHeader compares what is found in any bytes with what the library
// finds where it has all of them.
func FuzzReadProxyHeader(f *testing.F) {
	for _, c := range goodHeaders {
		f.Add([]byte(c.header + "\x00\x03pxp"))
	}
	for _, c := range badHeaders {
		f.Add([]byte(c.header))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fastReader, slowReader := bytes.NewReader(data), bytes.NewReader(data)
		client, rest, err := readProxyHeader(fastReader)
		slow, slowRest, slowErr := readProxyHeader(iotest.OneByteReader(slowReader))
		if (err == nil) != (slowErr == nil) || client.String() != slow.String() {
			t.Fatalf("at once: %v, %v; byte by byte: %v, %v", client, err, slow, slowErr)
		}
		if err != nil {
			return
		}
		// What was not read yet comes after what was read too much.
		rest = append(rest, data[len(data)-fastReader.Len():]...)
		slowRest = append(slowRest, data[len(data)-slowReader.Len():]...)
		if !bytes.Equal(rest, slowRest) || !bytes.HasSuffix(data, rest) {
			t.Fatalf("went on with %q, byte by byte with %q", rest, slowRest)
		}
		if client == nil {
			return
		}
		if !isClient(ipOf(client)) {
			t.Fatalf("client is %v", client)
		}
		again, err := proxyproto.HeaderProxyFromAddrs(2, client, client).Format()
		if err != nil {
			t.Fatal(err)
		}
		if same, _, err := readProxyHeader(bytes.NewReader(again)); err != nil || same.String() != client.String() {
			t.Fatalf("%v became %v, %v", client, same, err)
		}
	})
}
