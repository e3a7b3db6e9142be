package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// seedLines gives a fuzzer of control messages something to begin with.
func seedLines(f *testing.F, generation string) {
	for _, line := range controlLines(f, generation) {
		f.Add([]byte(strings.TrimSuffix(line, "\n")))
	}
	for _, line := range []string{
		`{"command":"ping","token":"x"}`, `{"command":"credit","bytes":65536}`, `{"command":"refused","reason":"unauthorized"}`, `{"command":"getPeer","reqId":"\ud83d\ude00\ud800","exclude":["a","b"]}`,
		`{"command":"hello","id":"n","version":0,"accepts":{"x":{"b":1e3,"a":[1.50,null],"b":"<\/\u003e"}},"transports":[],"ext":{"agent":"a/1","instance":"0123456789abcdef0123456789abcdef","features":["ping"],"window":4096,"token":"t","addresses":["wss://a.example:443"]}}`,
		`{"command":"incoming","nonce":"n","transport":"webrtc","relayed":16384}`, `{"command":"r","transport":"webrtc","opts":true,"address":"a","nonce":"n","relayed":1e9}`,
		`{"command":"ice","servers":[{"urls":["stun:s"]},{"urls":["turn:s:3478?transport=udp","http://s"],"username":"1:n","credential":"c"},{"urls":"turns:s"}],"ttl":3600}`,
		`{"command":"goaway","addresses":["wss://a.example:443","tls://[2001:db8::1]:8443"],"within":30000}`,
		`["upgrade","a",{"transport":"webrtc","signal":{"candidate":null}}]`, `["res",7,["text"]]`, `["res","z","text"]`, `null`, "",
	} {
		f.Add([]byte(line))
	}
}

func FuzzDecodeV0(f *testing.F) {
	seedLines(f, "v0")
	f.Fuzz(func(t *testing.T, line []byte) {
		given := bytes.Clone(line)
		var m, again V0
		err := DecodeV0(line, &m)
		if !bytes.Equal(line, given) {
			t.Fatal("the line was written to")
		}
		checkJSONError(t, line, err)
		if err != nil || m.Command == V0Unknown && m.Transport == "" {
			return // Nothing was understood, or it is an answer without a peer.
		}
		encoded := encodeV0(&m)
		checkLine(t, encoded)
		if err := DecodeV0(encoded[:len(encoded)-1], &again); err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		if m.Command == V0Unknown && m.Address == "" {
			return // Written as an answer without a peer.
		}
		if !reflect.DeepEqual(m, again) {
			t.Fatalf("%s\n got %+v\nwant %+v", encoded, again, m)
		}
	})
}

func FuzzDecodeV1(f *testing.F) {
	seedLines(f, "v1")
	f.Fuzz(func(t *testing.T, line []byte) {
		var m, again V1
		err := DecodeV1(line, &m)
		checkJSONError(t, line, err)
		if err != nil || m.Command == V1Unknown {
			return
		}
		encoded := encodeV1(&m)
		checkLine(t, encoded)
		if err := DecodeV1(encoded[:len(encoded)-1], &again); err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		if m.Command != V1Res && !reflect.DeepEqual(m, again) {
			t.Fatalf("%s\n got %+v\nwant %+v", encoded, again, m)
		}
		if twice := encodeV1(&again); !bytes.Equal(twice, encoded) {
			t.Fatalf("not stable:\n%s%s", encoded, twice)
		}
	})
}

// checkJSONError holds the reader of this package against encoding/json.
func checkJSONError(t *testing.T, line []byte, err error) {
	t.Helper()
	if invalid := errors.Is(err, ErrInvalidJSON); invalid == json.Valid(line) && jsonDepth(line) <= maxDepth {
		t.Fatalf("%q: %v, but encoding/json says %t", line, err, !invalid)
	}
}

// jsonDepth counts brackets, so that it is not less than how deep line nests.
func jsonDepth(line []byte) int {
	return bytes.Count(line, []byte{'['}) + bytes.Count(line, []byte{'{'})
}

// checkLine wants one line of JSON in the only spelling that JSON.stringify has.
func checkLine(t *testing.T, line []byte) {
	t.Helper()
	body, ok := bytes.CutSuffix(line, []byte{'\n'})
	if !ok || bytes.ContainsAny(body, "\r\n") || !json.Valid(body) {
		t.Fatalf("not a line of JSON: %q", line)
	}
	if again := appendCompact(nil, body); !bytes.Equal(again, body) {
		t.Fatalf("not as JavaScript writes it:\n got %s\nwant %s", body, again)
	}
}

func FuzzGuardV0(f *testing.F) {
	for _, talk := range relayTalks(f, "v0") {
		f.Add(talk.sides[FromAsker], talk.sides[FromCandidate], uint16(7))
	}
	files, _ := filepath.Glob("testdata/signals/*.ndjson")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte(testAnswer+"\n"), uint16(100))
	}
	f.Add([]byte(testCandidate+"\n"+testOffer+"\n"+`{"candidate":{"candidate":""}}`), []byte("\r\n"+testCandidate+"\n"+testAnswer+"\n{}\n"), uint16(1))
	f.Fuzz(func(t *testing.T, asker, candidate []byte, size uint16) {
		fuzzGuard(t, "v0", [2][]byte{asker, candidate}, int(size)+1, func(out [2][]byte) {
			for side, b := range out {
				checkSignals(t, Side(side), bytes.SplitAfter(b, []byte{'\n'}))
			}
		})
	})
}

func FuzzGuardV1(f *testing.F) {
	for _, talk := range relayTalks(f, "v1") {
		f.Add(talk.sides[FromAsker], talk.sides[FromCandidate], uint16(7))
	}
	f.Add(
		[]byte(*newStream().hello().control(`["connect","1","net"]`, `["getpeers","2","net"]`).frame(1, 0, "data:net").frame(1, 2, "x").frame(1, 6, "").frame(0, 5, "x")),
		[]byte(*newStream().hello().control(`["res","1",null]`, `["res","2",[null,[]]]`).frame(9, 0, "data:net").frame(9, 2, "x").frame(1, 3, "").frame(2, 0, "x")), uint16(2))
	f.Add([]byte(*newStream().hello().control(upgrade("1", testCandidate), upgrade(`"2"`, testOffer)).frame(0, 4, "")),
		[]byte(*newStream().frame(3, 0, "pxp").frame(3, 2, testHelloV1+"\n"+upgrade(`"1"`, testAnswer)+"\n")), uint16(3))
	f.Fuzz(func(t *testing.T, asker, candidate []byte, size uint16) {
		fuzzGuard(t, "v1", [2][]byte{asker, candidate}, int(size)+1, func(out [2][]byte) { checkNested(t, out) })
	})
}

// fuzzGuard checks what must hold whatever the two sides send: how it is cut
// makes no difference, what comes out is sound, and it would come out again.
func fuzzGuard(t *testing.T, generation string, in [2][]byte, size int, check func(out [2][]byte)) {
	run := func(in [2][]byte, size int) (out [2][]byte, err error) {
		guard := newGuard(generation)
		for side, b := range in {
			for chunk := range slices.Chunk(b, size) {
				given := bytes.Clone(chunk)
				if out[side], err = guard.Forward(Side(side), out[side], chunk); err != nil {
					return out, err
				}
				if !bytes.Equal(chunk, given) {
					t.Fatal("the chunk was written to")
				}
			}
		}
		return out, nil
	}
	whole, err := run(in, 1<<30)
	cut, cutErr := run(in, size)
	if !reflect.DeepEqual(whole, cut) || (err == nil) != (cutErr == nil) {
		t.Fatalf("in one piece %v:\n%q\nin pieces of %d %v:\n%q", err, whole, size, cutErr, cut)
	}
	check(whole)
	if again, err := run(whole, size); err != nil || !reflect.DeepEqual(again, whole) {
		t.Fatalf("a second time: %v\n got %q\nwant %q", err, again, whole)
	}
}

// checkSignals checks what one side says in a generation 0 relay, or what its
// upgrades carry, with other means than the guard's.
func checkSignals(t *testing.T, side Side, lines [][]byte) {
	t.Helper()
	want := "offer"
	if side == FromCandidate {
		want = "answer"
	}
	mid := ""
	for _, line := range lines {
		if len(line) == 0 {
			continue
		}
		checkLine(t, line)
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		var s struct {
			Type, SDP *string
			Candidate *struct {
				Candidate     string
				SDPMLineIndex *int
				SDPMid        *string
			}
		}
		if err := decoder.Decode(&s); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		switch {
		case s.Type != nil && s.SDP != nil && s.Candidate == nil:
			if *s.Type != want || mid != "" {
				t.Fatalf("%s from %s: not its turn", *s.Type, side)
			}
			mid = checkSDP(t, *s.SDP)
		case s.Candidate != nil && s.Type == nil && s.SDP == nil:
			c := s.Candidate
			if mid == "" || c.SDPMid == nil || *c.SDPMid != mid || c.SDPMLineIndex == nil || *c.SDPMLineIndex != 0 || !strings.HasPrefix(c.Candidate, "candidate:") ||
				len(strings.Split(c.Candidate, " ")) < 8 || len(strings.Split(c.Candidate, " "))%2 != 0 {
				t.Fatalf("after mid %q: %s", mid, line)
			}
		default:
			t.Fatalf("neither description nor candidate: %s", line)
		}
	}
}

// checkSDP returns the mid of a description.
func checkSDP(t *testing.T, sdp string) (mid string) {
	t.Helper()
	if !strings.HasPrefix(sdp, "v=0\r\no=") || !strings.HasSuffix(sdp, "\r\n") || strings.Count(sdp, "\r\nm=application ") != 1 || strings.Count(sdp, "\r\nm=") != 1 {
		t.Fatalf("%q", sdp)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(sdp, "\r\n"), "\r\n") {
		if len(line) < 3 || line[1] != '=' || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("line %q", line)
		}
		if m, ok := strings.CutPrefix(line, "a=mid:"); ok {
			mid = m
		}
	}
	for _, must := range []string{"\r\na=ice-ufrag:", "\r\na=ice-pwd:", "\r\na=fingerprint:sha-", "\r\na=setup:", "\r\na=mid:"} {
		if !strings.Contains(strings.ToLower(sdp), must) {
			t.Fatalf("no %q in %q", must, sdp)
		}
	}
	return mid
}

// checkNested checks what both sides say in a generation 1 relay.
func checkNested(t *testing.T, out [2][]byte) {
	t.Helper()
	requests := [2]map[string]string{{}, {}}
	var lines [2][]string
	for side, b := range out {
		if len(b) == 0 {
			continue
		}
		frames, ok := bytes.CutPrefix(b, []byte(MagicV1))
		if !ok {
			t.Fatalf("no magic: %q", b)
		}
		list, _ := parseFrames(frames) // The last frame of a data channel may not be whole.
		names, ended := map[uint64]string{}, map[uint64]bool{}
		for _, f := range list {
			if f.id > maxNestedID || ended[f.id] && f.typ != frameEndReceiver {
				t.Fatalf("frame %+v", f)
			}
			switch f.typ {
			case frameOpen:
				if names[f.id] != "" || f.payload != "pxp" && !strings.HasPrefix(f.payload, "data:") {
					t.Fatalf("frame %+v", f)
				}
				names[f.id] = f.payload
			case frameData:
				if len(f.payload) == 0 || len(f.payload) > maxNestedData && names[f.id] != "pxp" || names[f.id] == "" {
					t.Fatalf("frame %+v", f)
				}
				if names[f.id] == "pxp" {
					lines[side] = append(lines[side], f.payload)
				}
			case frameEndInitiator:
				ended[f.id] = true
				if names[f.id] == "" || f.payload != "" {
					t.Fatalf("frame %+v", f)
				}
			case frameEndReceiver:
				if f.payload != "" {
					t.Fatalf("frame %+v", f)
				}
			default:
				t.Fatalf("frame %+v", f)
			}
		}
		for i, line := range lines[side] {
			command, nonce := checkMessage(t, line)
			if (i == 0) != (command == "hello") {
				t.Fatalf("message %d is a %s", i, command)
			}
			if command == "getpeers" || command == "connect" {
				requests[side][nonce] = command
			}
		}
	}
	for side := range lines {
		var signals [][]byte
		for _, line := range lines[side] {
			var m [3]json.RawMessage
			_ = json.Unmarshal([]byte(line), &m)
			switch string(m[0]) {
			case `"upgrade"`:
				var args struct {
					Transport string
					Signal    json.RawMessage
				}
				if err := json.Unmarshal(m[2], &args); err != nil || args.Transport != "webrtc" {
					t.Fatalf("%s: %v", line, err)
				}
				signals = append(signals, append(args.Signal, '\n'))
			case `"res"`:
				if requests[1-side][strings.Trim(string(m[1]), `"`)] == "" {
					t.Fatalf("answers nothing: %s", line)
				}
			}
		}
		checkSignals(t, Side(side), signals)
	}
}

func checkMessage(t *testing.T, line string) (command, nonce string) {
	t.Helper()
	checkLine(t, []byte(line))
	var m []json.RawMessage
	if err := json.Unmarshal([]byte(line), &m); err != nil || len(m) != 3 {
		t.Fatalf("%s: %v", line, err)
	}
	_ = json.Unmarshal(m[0], &command)
	nonce = strings.Trim(string(m[1]), `"`)
	if !slices.Contains([]string{"hello", "upgrade", "getpeers", "connect", "res"}, command) || nonce == "error" || slices.Contains(commandsV1[1:], nonce) {
		t.Fatalf("%s", line)
	}
	return command, nonce
}
