package mux

import "fmt"

// Sink takes the frames that a [Decoder] finds.
type Sink interface {
	// Frame begins a frame.
	Frame(h Header) error
	// Payload hands over a piece of the frame's payload. It is called at least
	// once for each frame, with nothing if the frame is empty, and last tells
	// the frame's end. piece is valid only during the call.
	Payload(piece []byte, last bool) error
}

// Decoder splits a stream of bytes, however it is cut into chunks, into frames.
// It holds no payload. The zero value is ready, and rejects every frame that is
// not empty: set MaxFrameBytes.
type Decoder struct {
	MaxFrameBytes int

	state decoderState
	shift uint8  // of the next byte of the varint
	value uint64 // of the varint so far
	head  Header // Len is set once the length is read
	left  int    // bytes of payload to come
}

type decoderState uint8

const (
	readingHeader decoderState = iota
	readingLength
	readingPayload
)

// Between tells whether the stream stands between two frames.
func (d *Decoder) Between() bool {
	return d.state == readingHeader && d.shift == 0
}

// Header is that of the frame whose payload is being read.
func (d *Decoder) Header() Header { return d.head }

// Feed decodes the next chunk of the stream. It returns ErrMalformed or
// ErrFrameTooLarge, wrapped, or the first error of the sink; the decoder is of
// no use after an error.
func (d *Decoder) Feed(chunk []byte, sink Sink) error {
	for len(chunk) > 0 {
		if d.state == readingPayload {
			piece := chunk[:min(d.left, len(chunk))]
			chunk = chunk[len(piece):]
			if err := d.payload(piece, sink); err != nil {
				return err
			}
			continue
		}
		n, done, err := d.varint(chunk)
		if err != nil {
			return err
		}
		chunk = chunk[n:]
		if !done {
			return nil
		}
		if err := d.number(sink); err != nil {
			return err
		}
	}
	return nil
}

// varint reads what there is of a varint: at most 64 bits, in at most 10 bytes.
func (d *Decoder) varint(chunk []byte) (n int, done bool, err error) {
	for i, b := range chunk {
		if d.shift == 63 && b > 1 {
			return 0, false, fmt.Errorf("varint above 64 bits: %w", ErrMalformed)
		}
		d.value |= uint64(b&0x7f) << d.shift
		if b < 0x80 {
			return i + 1, true, nil
		}
		d.shift += 7
	}
	return len(chunk), false, nil
}

// number takes the varint that has just been read.
func (d *Decoder) number(sink Sink) error {
	value := d.value
	d.value, d.shift = 0, 0
	if d.state == readingHeader {
		d.head = Header{ID: value >> 3, Type: Type(value & 7)}
		d.state = readingLength
		return nil
	}
	if value > uint64(d.MaxFrameBytes) {
		return fmt.Errorf("frame of %d bytes, limit %d: %w", value, d.MaxFrameBytes, ErrFrameTooLarge)
	}
	d.head.Len = int(value)
	d.left = d.head.Len
	d.state = readingPayload
	if err := sink.Frame(d.head); err != nil {
		return err
	}
	if d.left == 0 {
		return d.payload(nil, sink)
	}
	return nil
}

func (d *Decoder) payload(piece []byte, sink Sink) error {
	d.left -= len(piece)
	last := d.left == 0
	if last {
		d.state = readingHeader
	}
	return sink.Payload(piece, last)
}
