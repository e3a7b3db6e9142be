package turn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
)

// readerConn reads from a reader.
type readerConn struct {
	net.Conn
	io.Reader
}

func (c readerConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// inPieces reads so many bytes at a time.
type inPieces struct {
	left []byte
	size int
}

func (r *inPieces) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.size)], r.left)
	r.left = r.left[n:]
	return n, nil
}

// frames returns what a stream takes from a reader, and why it ended; nil is its end.
func frames(r io.Reader) ([][]byte, error) {
	s := &stream{conn: readerConn{Reader: r}, buf: make([]byte, 16)}
	var all [][]byte
	for {
		frame, err := s.next()
		if err != nil {
			return all, err
		}
		if frame != nil {
			all = append(all, bytes.Clone(frame))
			continue
		}
		if err := s.read(); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return all, err
		}
	}
}

// TestFrames takes the longest frames, and no longer ones.
func TestFrames(t *testing.T) {
	var in []byte
	lengths := []int{0, 1, 4, 1200, maxFramed - channelHeader, 5, maxFramed - channelHeader - 3, 9}
	for i, n := range lengths {
		data := bytes.Repeat([]byte{byte(i)}, n)
		in = append(in, channelFrame(inFrame(data), headroom, n, 0x4000, true)...)
	}
	for _, piece := range []int{1, 3, 1000, 1 << 20} {
		got, err := frames(&inPieces{in, piece})
		if err != nil || len(got) != len(lengths) {
			t.Fatalf("%d bytes at a time: %d frames, %v", piece, len(got), err)
		}
		for i, frame := range got {
			if _, data, ok := parseChannelData(frame); !ok || len(data) != lengths[i] {
				t.Errorf("frame %d has %d bytes", i, len(data))
			}
		}
	}
	if _, err := frames(bytes.NewReader([]byte{0x40, 0, 0xff, 0xff})); !errors.Is(err, errTooLong) {
		t.Errorf("too long: %v", err)
	}
	if _, err := frames(bytes.NewReader([]byte("GET / HTTP/1.1"))); !errors.Is(err, errTooLong) && !errors.Is(err, errNotTURN) {
		t.Errorf("HTTP: %v", err)
	}
}
