package wire

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A recording is what unmodified npm packages said to each other, as multiplex
// frames. The files say which versions.
type recording struct {
	Name  string
	Conns []struct {
		Dialer, Acceptor string
		Mux              []frameRecord
	}
	DataChannel []frameRecord // What was said over the WebRTC connection.
}

type frameRecord struct {
	Dir       string // "B>A": from B to A.
	ID        int
	Type      int
	Text, Hex string // Payload, one of the two.
}

func (f frameRecord) payload(t testing.TB) []byte {
	if f.Hex == "" {
		return []byte(f.Text)
	}
	p, err := hex.DecodeString(f.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func recordings(t testing.TB, generation string) []recording {
	files, err := filepath.Glob("testdata/vectors/" + generation + "-*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings of %s: %v", generation, err)
	}
	list := make([]recording, len(files))
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &list[i]); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	return list
}

// channels returns what was sent on each channel of a connection, by direction
// and name.
func channels(t testing.TB, frames []frameRecord) map[string][]byte {
	streams := make(map[string][]byte)
	names := make(map[string]string)
	for _, f := range frames {
		id := f.Dir + " " + string(rune('0'+f.ID))
		switch f.Type {
		case 0:
			names[id] = f.Dir + " " + f.Text
		case 2:
			streams[names[id]] = append(streams[names[id]], f.payload(t)...)
		}
	}
	return streams
}

// controlLines returns every control message of the recordings.
func controlLines(t testing.TB, generation string) []string {
	var list []string
	add := func(frames []frameRecord) {
		for name, stream := range channels(t, frames) {
			if strings.HasSuffix(name, " pxp") {
				list = append(list, strings.SplitAfter(strings.TrimSuffix(string(stream), "\n"), "\n")...)
			}
		}
	}
	for _, r := range recordings(t, generation) {
		for _, c := range r.Conns {
			add(c.Mux)
		}
		add(r.DataChannel)
	}
	for i, line := range list {
		list[i] = strings.TrimSuffix(line, "\n") + "\n"
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// encodeV0 writes a decoded message again.
func encodeV0(m *V0) []byte {
	switch m.Command {
	case V0Hello:
		return AppendHello(nil, m.Hello)
	case V0HelloAck:
		return AppendHelloAck(nil)
	case V0GetPeer:
		return AppendGetPeer(nil, m.ReqID, m.Exclude)
	case V0Incoming:
		return AppendIncoming(nil, m.Nonce, m.Transport, m.Relayed, m.Alias)
	case V0Accept:
		return AppendAccept(nil, m.Transport, m.Opts)
	case V0Unaccept:
		return AppendUnaccept(nil, m.Transport)
	case V0Ping:
		return AppendPing(nil, m.Token)
	case V0Pong:
		return AppendPong(nil, m.Token)
	case V0Credit:
		return AppendCredit(nil, m.Bytes)
	case V0Mesh:
		return append(slices.Clip(m.Mesh), '\n')
	case V0Refused:
		return AppendRefused(nil, m.Reason)
	case V0ICE:
		return AppendICE(nil, m.Servers, m.TTL)
	case V0GoAway:
		return AppendGoAway(nil, m.Addresses, m.Within)
	}
	return AppendAnswer(nil, m.Name, Answer{m.Transport, m.Opts, m.Address, m.Nonce, m.Relayed, m.Alias})
}

// encodeV1 writes a decoded message again. A res is told apart by its arguments.
func encodeV1(m *V1) []byte {
	switch m.Command {
	case V1Hello:
		return appendHelloV1(nil, m.Nonce, m.Version, m.ConnectInfo, m.Networks)
	case V1GetPeers:
		return AppendV1GetPeers(nil, m.Nonce, m.Network)
	case V1Relay:
		return AppendV1Relay(nil, m.Nonce, m.ID)
	case V1Incoming:
		return AppendV1Incoming(nil, m.Nonce, m.ID)
	case V1Upgrade:
		return AppendV1Upgrade(nil, m.Nonce, m.Transport, m.Signal)
	case V1Connect:
		return AppendV1Connect(nil, m.Nonce, m.Network)
	}
	if text, failed := ResError(m.Args); failed {
		if isArray(m.Args) {
			return AppendV1GetPeersError(nil, m.Nonce, text)
		}
		return AppendV1ResError(nil, m.Nonce, text)
	}
	if list, err := DecodeCandidates(m.Args); err == nil {
		return AppendV1Candidates(nil, m.Nonce, list)
	}
	return AppendV1Res(nil, m.Nonce)
}

func TestRecordedControlMessagesV0(t *testing.T) {
	lines := controlLines(t, "v0")
	seen := make(map[CommandV0]int)
	for _, line := range lines {
		var m V0
		if err := DecodeV0([]byte(line[:len(line)-1]), &m); err != nil {
			t.Errorf("%s%v", line, err)
			continue
		}
		seen[m.Command]++
		if got := string(encodeV0(&m)); got != line {
			t.Errorf("written again:\n got %swant %s", got, line)
		}
	}
	for c := V0Unknown; c <= V0Unaccept; c++ {
		if seen[c] == 0 {
			t.Errorf("no recording of %s among %d lines", c, len(lines))
		}
	}
}

func TestRecordedControlMessagesV1(t *testing.T) {
	lines := controlLines(t, "v1")
	seen := make(map[CommandV1]int)
	for _, line := range lines {
		var m V1
		if err := DecodeV1([]byte(line[:len(line)-1]), &m); err != nil {
			t.Errorf("%s%v", line, err)
			continue
		}
		seen[m.Command]++
		if got := string(encodeV1(&m)); got != line {
			t.Errorf("written again:\n got %swant %s", got, line)
		}
	}
	for c := V1Hello; c <= V1Res; c++ {
		if c != V1Upgrade && seen[c] == 0 { // Upgrades are in the relays.
			t.Errorf("no recording of %s among %d lines", c, len(lines))
		}
	}
}

// A relayTalk is what the two ends of a recorded relay said.
type relayTalk struct {
	name  string
	sides [2][]byte
}

// relayTalks returns the relays of the recordings. In all of them B asks and C is
// the candidate.
func relayTalks(t testing.TB, generation string) []relayTalk {
	var list []relayTalk
	for _, r := range recordings(t, generation) {
		var asked, offered []relayTalk
		for _, c := range r.Conns {
			streams := channels(t, c.Mux)
			for _, name := range slices.Sorted(maps.Keys(streams)) {
				relay := strings.TrimLeft(name, "ABC>")
				switch {
				case strings.HasPrefix(name, "B>A relay:"):
					asked = append(asked, relayTalk{r.Name + relay, [2][]byte{FromAsker: streams[name]}})
				case strings.HasPrefix(name, "C>A relay:"):
					offered = append(offered, relayTalk{sides: [2][]byte{FromCandidate: streams[name]}})
				}
			}
		}
		for i, talk := range asked {
			talk.sides[FromCandidate] = offered[i].sides[FromCandidate]
			list = append(list, talk)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no relay among the recordings of %s", generation)
	}
	return list
}

func newGuard(generation string) *Guard {
	if generation == "v1" {
		return NewGuardV1(0)
	}
	return NewGuardV0(0)
}

func TestGuardPassesRecordedRelays(t *testing.T) {
	for _, generation := range []string{"v0", "v1"} {
		for _, talk := range relayTalks(t, generation) {
			for _, size := range []int{1 << 20, 100, 7, 1} {
				guard := newGuard(generation)
				for side, stream := range talk.sides {
					var out []byte
					for chunk := range slices.Chunk(stream, size) {
						var err error
						if out, err = guard.Forward(Side(side), out, chunk); err != nil {
							t.Fatalf("%s from %s in pieces of %d: %v", talk.name, Side(side), size, err)
						}
					}
					if len(stream) == 0 || string(out) != string(stream) {
						t.Errorf("%s from %s in pieces of %d:\n got %q\nwant %q", talk.name, Side(side), size, out, stream)
					}
				}
			}
		}
	}
}
