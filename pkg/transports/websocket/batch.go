package websocket

import (
	"bufio"
	"encoding/binary"
	"net"
	"net/http"
)

// A client sends a message for each write, and a JavaScript one two for each
// frame of the exchange. Read returns as many of them at once as one system call
// brought in, so that what they ask for is answered in one write. For that the
// accepting side keeps the reader that gorilla reads from, which it takes over
// from the HTTP server if its own buffer size is left at zero.

// hijacked hands gorilla a buffered reader of ours in place of net/http's.
type hijacked struct {
	http.ResponseWriter
	reader *bufio.Reader // set by Hijack
}

// Hijack implements http.Hijacker.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, server, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil || server.Reader.Buffered() > 0 {
		return conn, server, err // gorilla refuses a client that did not wait for the answer
	}
	h.reader = bufio.NewReaderSize(conn, readBuffer)
	return conn, bufio.NewReadWriter(h.reader, server.Writer), nil
}

// more tells whether there is something to read without waiting. What follows
// the bytes that a Read has just taken is the header of a frame, or nothing: of
// the frame before, everything that was there is taken. There is more if that
// header and a byte behind it are in the buffer. Behind a ping there may be
// nothing, and what was read must not wait for it.
func more(buffered *bufio.Reader) bool {
	if buffered == nil || buffered.Buffered() < 2 {
		return false
	}
	head, err := buffered.Peek(min(buffered.Buffered(), maxFrameHeader+1))
	return err == nil && head[0]&controlBit == 0 && len(head) > frameHeaderBytes(head)
}

// controlBit is set in the opcodes of Close, ping and pong.
const controlBit = 0x08

const maxFrameHeader = 2 + 8 + 4

// frameHeaderBytes is the length of a frame's header by its first two bytes (RFC
// 6455, section 5.2).
func frameHeaderBytes(head []byte) int {
	n := 2
	switch head[1] & 0x7f {
	case 126:
		n += binary.Size(uint16(0))
	case 127:
		n += binary.Size(uint64(0))
	}
	if masked := head[1]&0x80 != 0; masked {
		n += 4
	}
	return n
}
