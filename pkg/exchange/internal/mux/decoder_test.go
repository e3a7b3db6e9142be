package mux

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

func TestDecoderAcceptsAnySplit(t *testing.T) {
	want := []frame{
		{0, TypeOpen, "pxp"}, {0, TypeData, ""}, {77, TypeData, "payload"}, {1 << 40, 7, "x"},
		{math.MaxUint64 >> 3, TypeData, string(make([]byte, 300))}, {3, TypeEnd, ""},
	}
	stream := encode(want...)
	for size := 1; size <= len(stream); size++ {
		var chunks [][]byte
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			chunks = append(chunks, rest[:n], nil)
			rest = rest[n:]
		}
		got, err := decode(chunks...)
		if err != nil {
			t.Fatalf("chunks of %d: %v", size, err)
		}
		diffFrames(t, "decoded", got, want)
	}
}

func TestDecoderVarints(t *testing.T) {
	max := binary.AppendUvarint(nil, math.MaxUint64)
	for _, test := range []struct {
		name   string
		stream []byte
		want   error
		frames int
	}{
		{"longer than needed", []byte{0x82, 0x80, 0x00, 0x81, 0x00, 'x'}, nil, 1},
		{"ten bytes of zeros", []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00}, nil, 1},
		{"greatest header", append(bytes.Clone(max), 0), nil, 1},
		{"header above 64 bits", append(bytes.Repeat([]byte{0xff}, 9), 0x02), ErrMalformed, 0},
		{"header of eleven bytes", append(bytes.Repeat([]byte{0x80}, 10), 0x00), ErrMalformed, 0},
		{"header of 101 bytes", append(bytes.Repeat([]byte{0x80}, 100), 0x00), ErrMalformed, 0},
		{"length above 64 bits", append([]byte{0x02}, append(bytes.Repeat([]byte{0xff}, 9), 0x02)...), ErrMalformed, 0},
		{"greatest length", append([]byte{0x02}, max...), ErrFrameTooLarge, 0},
		{"length above the limit", AppendHeader(nil, Header{0, TypeData, defaultMaxFrameBytes + 1}), ErrFrameTooLarge, 0},
		{"length at the limit", AppendHeader(nil, Header{0, TypeData, defaultMaxFrameBytes}), nil, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, chunks := range [][][]byte{{test.stream}, bytes.SplitAfter(test.stream, nil)} {
				got, err := decode(chunks...)
				if !errors.Is(err, test.want) {
					t.Errorf("error is %v, want %v", err, test.want)
				}
				if len(got) != test.frames {
					t.Errorf("%d frames, want %d", len(got), test.frames)
				}
			}
		})
	}
}

func TestDecoderKnowsWhereItStands(t *testing.T) {
	stream := encode(frame{300, TypeData, "abc"})
	d, sink := Decoder{MaxFrameBytes: 3}, new(frameSink)
	for i := range stream {
		if got, want := d.Between(), i == 0; got != want {
			t.Errorf("after %d bytes between frames is %v", i, got)
		}
		if err := d.Feed(stream[i:i+1], sink); err != nil {
			t.Fatal(err)
		}
	}
	if !d.Between() {
		t.Error("not between frames after the last byte of one")
	}
}

func TestDecoderReturnsErrorsOfTheSink(t *testing.T) {
	stream := encode(frame{0, TypeData, "x"}, frame{0, TypeEnd, ""})
	for failAt := range 4 {
		d := Decoder{MaxFrameBytes: 1}
		if err := d.Feed(stream, &failingSink{failAt}); err != errSink {
			t.Errorf("call %d failed, Feed returned %v", failAt, err)
		}
	}
}

var errSink = errors.New("sink")

// failingSink fails at one of its calls.
type failingSink struct{ left int }

func (s *failingSink) Frame(Header) error         { return s.call() }
func (s *failingSink) Payload([]byte, bool) error { return s.call() }
func (s *failingSink) call() error {
	if s.left--; s.left < 0 {
		return errSink
	}
	return nil
}

// FuzzDecoder checks that how a stream is cut makes no difference, and that
// encoding what was decoded decodes to the same.
func FuzzDecoder(f *testing.F) {
	for _, stream := range recordedStreams(f) {
		whole := bytes.Join(stream.chunks, nil)
		f.Add(whole, uint8(len(stream.chunks[0])))
	}
	f.Add([]byte{0x82, 0x80, 0x00, 0x81, 0x00, 'x'}, uint8(1))
	f.Add(bytes.Repeat([]byte{0xff}, 11), uint8(3))
	f.Add(AppendHeader(nil, Header{1, TypeData, 1 << 30}), uint8(2))
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		whole, wholeErr := decode(stream)
		step := int(size)%64 + 1
		var chunks [][]byte
		for rest := stream; len(rest) > 0; rest = rest[min(step, len(rest)):] {
			chunks = append(chunks, rest[:min(step, len(rest))])
		}
		cut, cutErr := decode(chunks...)
		diffFrames(t, "cut", cut, whole)
		if (wholeErr == nil) != (cutErr == nil) {
			t.Errorf("whole %v, cut %v", wholeErr, cutErr)
		}
		again, err := decode(encode(whole...))
		if err != nil {
			t.Errorf("decoding what was encoded: %v", err)
		}
		diffFrames(t, "encoded", again, whole)
	})
}
