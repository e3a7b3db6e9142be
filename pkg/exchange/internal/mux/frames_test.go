package mux

import (
	"bytes"
	"testing"
)

// frame is a whole frame.
type frame struct {
	ID      uint64
	Type    Type
	Payload string
}

func encode(frames ...frame) []byte {
	var b []byte
	for _, f := range frames {
		b = appendFrame(b, f.ID, f.Type, f.Payload)
	}
	return b
}

// frameSink gathers frames.
type frameSink struct {
	frames []frame
	pieces [][]byte
}

func (s *frameSink) Frame(h Header) error {
	s.frames = append(s.frames, frame{ID: h.ID, Type: h.Type})
	return nil
}

func (s *frameSink) Payload(piece []byte, last bool) error {
	s.pieces = append(s.pieces, bytes.Clone(piece))
	if last {
		s.frames[len(s.frames)-1].Payload = string(bytes.Join(s.pieces, nil))
		s.pieces = nil
	}
	return nil
}

// decode decodes chunks of a stream into frames; an unfinished one has no
// payload.
func decode(chunks ...[]byte) ([]frame, error) {
	d := Decoder{MaxFrameBytes: defaultMaxFrameBytes}
	var sink frameSink
	for _, chunk := range chunks {
		if err := d.Feed(chunk, &sink); err != nil {
			return sink.frames, err
		}
	}
	return sink.frames, nil
}

func diffFrames(t testing.TB, what string, got, want []frame) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("%s: frame %d is missing, want %+v", what, i, want[i])
		case i >= len(want):
			t.Errorf("%s: frame %d is %+v, want none", what, i, got[i])
		case got[i] != want[i]:
			t.Errorf("%s: frame %d is %+v, want %+v", what, i, got[i], want[i])
		}
	}
}
