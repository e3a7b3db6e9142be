package load

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recording is the part of a recorded vector that these tests look at.
type recording struct {
	Conns []struct {
		Chunks []struct {
			Dir string
			Hex hexBytes
		}
		WSFrames []struct {
			Dir         string
			Opcode      byte
			InflatedHex hexBytes
		}
		Mux []struct {
			Dir  string
			ID   uint64
			Type byte
			Text *string
			Hex  hexBytes
		}
	}
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}

func readRecording(t *testing.T, name string) recording {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// parsed is a frame whose payload was copied.
type parsed struct {
	id      uint64
	kind    byte
	payload string
}

func TestNextFrameReadsWhatWasRecorded(t *testing.T) {
	for _, conn := range readRecording(t, "v0-getpeer-direct.json").Conns {
		streams := make(map[string][]byte)
		for _, chunk := range conn.Chunks {
			streams[chunk.Dir] = append(streams[chunk.Dir], chunk.Hex...)
		}
		for dir, stream := range streams {
			var want []parsed
			for _, f := range conn.Mux {
				if f.Dir != dir {
					continue
				}
				payload := string(f.Hex)
				if f.Text != nil {
					payload = *f.Text
				}
				want = append(want, parsed{f.ID, f.Type, payload})
			}
			if got := parseFrames(t, stream); !slices.Equal(got, want) {
				t.Errorf("%s: frames are\n%+v\nwant\n%+v", dir, got, want)
			}
		}
	}
}

// parseFrames parses a stream that is cut short before each byte in turn, as far as it can be each time.
func parseFrames(t *testing.T, stream []byte) []parsed {
	t.Helper()
	var all []parsed
	for from, to := 0, 0; to <= len(stream); to++ {
		f, size, err := nextFrame(stream[from:to])
		if err != nil {
			t.Fatal(err)
		}
		if size > 0 {
			all = append(all, parsed{f.id, f.kind, string(f.payload)})
			from += size
		}
	}
	return all
}

// TestClientWritesWhatWasRecorded compares message by message what the published client wrote, decompressed.
func TestClientWritesWhatWasRecorded(t *testing.T) {
	var want []string
	var request string
	for _, f := range readRecording(t, "v0-websocket-handshake-data.json").Conns[0].WSFrames {
		if f.Dir == "B>A" {
			want = append(want, string(f.InflatedHex))
		}
		if len(want) == 8 {
			request = want[7]
			break
		}
	}
	if !strings.Contains(request, "getPeer") {
		t.Fatalf("eighth message is %q, want a getPeer", request)
	}

	c := &client{key: 0x8c31a7f3}
	c.out = appendFrame(c.out, c.key, 0, frameOpen, "pxp")
	c.send(helloLine("net", acceptsWebRTC))
	c.send(helloackLine)
	line := []byte(getPeerLine)
	var id [idBytes]byte
	if _, err := hex.Decode(id[:], []byte(request[getPeerID:getPeerID+2*idBytes])); err != nil {
		t.Fatal(err)
	}
	putID(line, id)
	c.out = appendFrame(c.out, c.key, 0, frameData, line)

	if got := unmasked(t, c.out); !slices.Equal(got, want) {
		t.Errorf("client wrote\n%q\nwant\n%q", got, want)
	}
}

// unmasked reads a client's messages as a server does.
func unmasked(t *testing.T, b []byte) []string {
	t.Helper()
	var messages []string
	for len(b) > 0 {
		if b[0] != 0x80|opBinary || b[1]&0x80 == 0 {
			t.Fatalf("message begins with %x, want a masked, binary, unfragmented one", b[:2])
		}
		at, n := 2, int(b[1]&0x7f)
		switch n {
		case 126:
			at, n = 4, int(b[2])<<8|int(b[3])
		case 127:
			t.Fatal("message is longer than any in the recording")
		}
		key, payload := b[at:at+4], b[at+4:at+4+n]
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		messages = append(messages, string(payload))
		b = b[at+4+n:]
	}
	return messages
}

func TestSignalsAreWhole(t *testing.T) {
	for _, lines := range [][]string{offer, answer} {
		if len(lines) != 3 {
			t.Fatalf("%d signals, want a description and two candidates", len(lines))
		}
		for i, line := range lines {
			var signal map[string]any
			if err := json.Unmarshal([]byte(line), &signal); err != nil {
				t.Errorf("signal %d: %v", i, err)
			}
			if !strings.HasSuffix(line, "}\n") {
				t.Errorf("signal %d is %q, want a line", i, line)
			}
		}
	}
}
