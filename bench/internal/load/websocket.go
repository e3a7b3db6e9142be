package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
)

// maxMessage bounds what a server may put in one websocket or multiplex frame: more than any seed sends in this
// benchmark.
const maxMessage = 1 << 20

var errMessageTooLarge = errors.New("frame from the server is larger than the benchmark takes")

// appendMessage appends one unfragmented client message to dst. The key is drawn by the caller: a client masks what it
// sends (RFC 6455, section 5.3), and the server pays for taking that off.
func appendMessage(dst []byte, opcode byte, key uint32, payload ...byte) []byte {
	dst = append(dst, 0x80|opcode)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n <= 0xffff:
		dst = append(dst, 0x80|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, 0x80|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = binary.LittleEndian.AppendUint32(dst, key)
	at := len(dst)
	dst = append(dst, payload...)
	mask(dst[at:], key)
	return dst
}

func mask(p []byte, key uint32) {
	wide := uint64(key)<<32 | uint64(key)
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^wide)
	}
	for i := range p {
		p[i] ^= byte(key >> (8 * (i & 3)))
	}
}

// message is one websocket frame of a server.
type message struct {
	opcode  byte
	payload []byte // a part of the buffer that was parsed
}

// nextMessage takes one whole frame from the front of buf. size is 0 when buf does not hold a whole one yet.
func nextMessage(buf []byte) (m message, size int, err error) {
	if len(buf) < 2 {
		return message{}, 0, nil
	}
	if buf[0]&0x70 != 0 {
		return message{}, 0, fmt.Errorf("websocket frame with reserved bits %#x", buf[0])
	}
	if buf[1]&0x80 != 0 {
		return message{}, 0, errors.New("masked websocket frame from the server")
	}
	at, n := 2, uint64(buf[1])
	switch n {
	case 126:
		if len(buf) < 4 {
			return message{}, 0, nil
		}
		at, n = 4, uint64(binary.BigEndian.Uint16(buf[2:]))
	case 127:
		if len(buf) < 10 {
			return message{}, 0, nil
		}
		at, n = 10, binary.BigEndian.Uint64(buf[2:])
	}
	if n > maxMessage {
		return message{}, 0, errMessageTooLarge
	}
	if uint64(len(buf)-at) < n {
		return message{}, 0, nil
	}
	size = at + int(n)
	return message{buf[0] & 0xf, buf[at:size:size]}, size, nil
}

// upgradeRequest is the handshake of the published client (ws 1.1.5) without its offer of permessage-deflate.
func upgradeRequest(host, key string) []byte {
	return []byte("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nHost: " + host +
		"\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n\r\n")
}

// upgraded looks for the end of the server's answer in buf. size is 0 when it has not come yet.
func upgraded(buf []byte) (size int, err error) {
	end := bytes.Index(buf, []byte("\r\n\r\n"))
	if end < 0 {
		if len(buf) > 8<<10 {
			return 0, errors.New("answer to the websocket upgrade has no end")
		}
		return 0, nil
	}
	if !bytes.HasPrefix(buf, []byte("HTTP/1.1 101 ")) {
		status, _, _ := bytes.Cut(buf, []byte("\r\n"))
		return 0, fmt.Errorf("websocket upgrade refused: %s", status)
	}
	if bytes.Contains(bytes.ToLower(buf[:end]), []byte("sec-websocket-extensions")) {
		return 0, errors.New("server negotiated an extension that was not offered")
	}
	return end + 4, nil
}
