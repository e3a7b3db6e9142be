package seed

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/pires/go-proxyproto"
)

// Bounds of what a proxy says before the connection that it passes on (the
// PROXY protocol, sections 2.1 and 2.2).
const (
	maxProxyLine = 107  // version 1, with its line end
	maxProxyTail = 4096 // version 2, what follows the first 16 bytes; the most that the library takes
	proxyPrefix  = 16   // of version 2: signature, command, family, length of the rest
)

// How each version begins.
const (
	proxyLine      = "PROXY "
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
)

// errProxyHeader is a header that a trusted proxy sent and that makes no sense.
var errProxyHeader = errors.New("PROXY header")

// readProxyHeader reads the header that a proxy may send first. client is whom
// the connection is from, or nil if it is the proxy's own or there is no header.
// rest is what was read beyond the header; it is what the connection goes on
// with.
//
// Only the extent of the header is found out here, byte by byte if that is how
// it comes. The header itself is the library's to read, when all of it is there:
// its own reader of connections would refuse one that comes in pieces, and hold a
// buffer for as long as the connection lasts.
func readProxyHeader(r io.Reader) (client *net.TCPAddr, rest []byte, err error) {
	buf := make([]byte, 0, 256) // enough for all but long version 2 headers
	for {
		size, err := proxyHeaderSize(buf)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("%w: %w", errProxyHeader, err)
		case size == 0:
			return nil, buf, nil
		case size > 0 && len(buf) >= size:
			client, err = parseProxyHeader(buf[:size])
			if err != nil {
				return nil, nil, fmt.Errorf("%w: %w", errProxyHeader, err)
			}
			return client, bytes.Clone(buf[size:]), nil
		case size > cap(buf):
			buf = append(make([]byte, 0, size), buf...)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if n == 0 && err != nil {
			return nil, nil, err
		}
	}
}

// proxyHeaderSize is how long the header is that b begins with: 0 if it begins
// with none, and -1 if more bytes are needed to tell.
func proxyHeaderSize(b []byte) (int, error) {
	switch {
	case bytes.HasPrefix(b, []byte(proxyLine)):
		if end := bytes.IndexByte(b[:min(len(b), maxProxyLine)], '\n'); end >= 0 {
			return end + 1, nil
		}
		if len(b) >= maxProxyLine {
			return 0, fmt.Errorf("version 1 without a line end in the first %d bytes", maxProxyLine)
		}
		return -1, nil
	case bytes.HasPrefix(b, []byte(proxySignature)):
		if len(b) < proxyPrefix {
			return -1, nil
		}
		tail := int(binary.BigEndian.Uint16(b[proxyPrefix-2:]))
		if tail > maxProxyTail {
			return 0, fmt.Errorf("version 2 of %d bytes, more than %d", proxyPrefix+tail, proxyPrefix+maxProxyTail)
		}
		return proxyPrefix + tail, nil
	case strings.HasPrefix(proxyLine, string(b)), strings.HasPrefix(proxySignature, string(b)):
		return -1, nil
	default:
		return 0, nil
	}
}

// parseProxyHeader returns whom a connection is from by its header.
func parseProxyHeader(header []byte) (*net.TCPAddr, error) {
	h, err := proxyproto.Read(bufio.NewReader(bytes.NewReader(header)))
	if err != nil {
		return nil, err
	}
	if h.Command.IsLocal() {
		return nil, nil // the proxy's own, such as a health check, or it does not know
	}
	if h.TransportProtocol.IsUnix() && h.TransportProtocol.IsStream() {
		return nil, nil // from a program on the proxy's machine
	}
	from, _, ok := h.TCPAddrs()
	if !ok {
		return nil, errors.New("it is of no TCP connection")
	}
	// What becomes of an address that no client has would be offered to others.
	if ip := ipOf(from); !isClient(ip) {
		return nil, fmt.Errorf("%v is no client's address", ip)
	}
	return from, nil
}
