package load

import (
	"encoding/binary"
	"errors"
)

// Types of multiplex frames (npm multiplex 6.7.0, index.js). A client sends open, data and end on ids of its own.
const (
	frameOpen = 0
	frameData = 2
	frameEnd  = 4
)

// frame is one multiplex frame of a server.
type frame struct {
	id      uint64
	kind    byte
	payload []byte // a part of the buffer that was parsed
}

// appendFrame appends a frame the way the published client writes it to a websocket: its header and its payload are a
// message each, and an empty payload is none.
func appendFrame[T string | []byte](dst []byte, key uint32, id uint64, kind byte, payload T) []byte {
	var header [2 * binary.MaxVarintLen64]byte
	n := binary.PutUvarint(header[:], id<<3|uint64(kind))
	n += binary.PutUvarint(header[n:], uint64(len(payload)))
	dst = appendMessage(dst, opBinary, key, header[:n]...)
	if len(payload) == 0 {
		return dst
	}
	return appendMessage(dst, opBinary, key, []byte(payload)...)
}

// nextFrame takes one whole frame from the front of buf. size is 0 when buf does not hold a whole one yet.
func nextFrame(buf []byte) (f frame, size int, err error) {
	header, a := binary.Uvarint(buf)
	if a < 0 {
		return frame{}, 0, errors.New("multiplex header overflows")
	}
	if a == 0 {
		return frame{}, 0, nil
	}
	length, b := binary.Uvarint(buf[a:])
	if b < 0 || length > maxMessage {
		return frame{}, 0, errMessageTooLarge
	}
	if b == 0 || uint64(len(buf)-a-b) < length {
		return frame{}, 0, nil
	}
	size = a + b + int(length)
	return frame{header >> 3, byte(header & 7), buf[a+b : size : size]}, size, nil
}
