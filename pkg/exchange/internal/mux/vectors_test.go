package mux

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recording is one file of testdata/vectors.
type recording struct {
	Streams []struct {
		Name   string
		Magic  hexBytes
		Chunks []struct {
			Hex hexBytes
			Len int
		}
		Frames []struct {
			Header  hexBytes
			ID      uint64
			Type    Type
			Len     int
			Payload hexBytes
		}
	}
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// recordedStream is one direction of a recorded connection.
type recordedStream struct {
	name   string
	chunks [][]byte // behind the magic
	frames []frame
}

func recordedStreams(tb testing.TB) []recordedStream {
	tb.Helper()
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recordings: %v", err)
	}
	var streams []recordedStream
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var r recording
		if err := json.Unmarshal(text, &r); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		for _, s := range r.Streams {
			stream := recordedStream{name: strings.TrimSuffix(filepath.Base(file), ".json") + " " + s.Name}
			magic := []byte(s.Magic)
			for _, c := range s.Chunks {
				chunk := lengthen(c.Hex, c.Len)
				if n := min(len(magic), len(chunk)); n > 0 {
					if !bytes.Equal(chunk[:n], magic[:n]) {
						tb.Fatalf("%s: magic is %x, want %x", stream.name, chunk[:n], magic[:n])
					}
					magic, chunk = magic[n:], chunk[n:]
				}
				stream.chunks = append(stream.chunks, chunk)
			}
			for _, f := range s.Frames {
				if header := AppendHeader(nil, Header{f.ID, f.Type, f.Len}); !bytes.Equal(header, f.Header) {
					tb.Errorf("%s: header of %+v is %x, recorded %x", stream.name, f, header, f.Header)
				}
				stream.frames = append(stream.frames, frame{f.ID, f.Type, string(lengthen(f.Payload, f.Len))})
			}
			streams = append(streams, stream)
		}
	}
	return streams
}

// lengthen repeats the last byte of what was recorded of something longer: what
// it is means nothing to the framing.
func lengthen(prefix []byte, n int) []byte {
	if n <= len(prefix) {
		return prefix
	}
	return append(prefix, bytes.Repeat(prefix[len(prefix)-1:], n-len(prefix))...)
}

func TestDecoderReadsRecordings(t *testing.T) {
	for _, stream := range recordedStreams(t) {
		got, err := decode(stream.chunks...)
		if err != nil {
			t.Errorf("%s: %v", stream.name, err)
		}
		diffFrames(t, stream.name, got, stream.frames)
	}
}

func TestEncodingIsThatOfRecordings(t *testing.T) {
	for _, stream := range recordedStreams(t) {
		if got, want := encode(stream.frames...), bytes.Join(stream.chunks, nil); !bytes.Equal(got, want) {
			t.Errorf("%s: encoded\n%x\nrecorded\n%x", stream.name, got, want)
		}
	}
}

// TestSessionReadsRecordings has a session receive each recorded stream, with a
// channel for each name that occurs.
func TestSessionReadsRecordings(t *testing.T) {
	for _, stream := range recordedStreams(t) {
		t.Run(stream.name, func(t *testing.T) {
			s, peer := newTestSession(t, Config{})
			want := map[string]string{}
			ended := map[string]bool{}
			received := map[string]*recorder{}
			names := map[uint64]string{}
			for _, f := range stream.frames {
				switch f.Type {
				case TypeOpen:
					names[f.ID] = f.Payload
					received[f.Payload] = s.record(t, f.Payload)
				case TypeData:
					want[names[f.ID]] += f.Payload
				case TypeEnd, TypeDestroy:
					ended[names[f.ID]] = true
				}
			}
			for _, chunk := range stream.chunks {
				peer.write(chunk)
			}
			peer.conn.Close()
			s.wantEnd(t, io.EOF)
			for name, r := range received {
				if string(r.got) != want[name] {
					t.Errorf("%s received %q, want %q", name, r.got, want[name])
				}
				if (r.ends == 1) != ended[name] || r.ends > 1 {
					t.Errorf("%s ended %d times, recorded %v", name, r.ends, ended[name])
				}
			}
		})
	}
}
