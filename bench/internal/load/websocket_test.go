package load

import (
	"bytes"
	"strings"
	"testing"
)

func TestNextMessage(t *testing.T) {
	long := bytes.Repeat([]byte{'x'}, 300)
	tests := []struct {
		name    string
		in      []byte
		opcode  byte
		payload []byte
		size    int
		err     string
	}{
		{name: "nothing"},
		{name: "half a header", in: []byte{0x82}},
		{name: "short", in: []byte{0x82, 2, 'a', 'b', 0x82}, opcode: opBinary, payload: []byte("ab"), size: 4},
		{name: "empty ping", in: []byte{0x89, 0}, opcode: opPing, size: 2},
		{name: "half a length", in: []byte{0x82, 126, 1}},
		{name: "long", in: append([]byte{0x82, 126, 1, 44}, long...), opcode: opBinary, payload: long, size: 304},
		{name: "half a payload", in: append([]byte{0x82, 126, 1, 44}, long[:200]...)},
		{name: "compressed", in: []byte{0xc2, 0}, err: "reserved bits"},
		{name: "masked", in: []byte{0x82, 0x80, 1, 2, 3, 4}, err: "masked"},
		{name: "huge", in: []byte{0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0}, err: "larger"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, size, err := nextMessage(test.in)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error is %v, want one about %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if size != test.size || m.opcode != test.opcode || !bytes.Equal(m.payload, test.payload) {
				t.Errorf("got opcode %d, %q, size %d", m.opcode, m.payload, size)
			}
		})
	}
}

func TestUpgraded(t *testing.T) {
	const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	tests := []struct {
		name, in string
		size     int
		err      string
	}{
		{name: "not yet", in: switching},
		{name: "done", in: switching + "\r\n\x82\x00", size: len(switching) + 2},
		{name: "refused", in: "HTTP/1.1 503 Service Unavailable\r\n\r\n", err: "503"},
		{name: "compressed", in: switching + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", err: "extension"},
		{name: "endless", in: strings.Repeat("x", 9<<10), err: "no end"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			size, err := upgraded([]byte(test.in))
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("error is %v, want one about %q", err, test.err)
				}
				return
			}
			if err != nil || size != test.size {
				t.Errorf("got %d, %v, want %d", size, err, test.size)
			}
		})
	}
}
