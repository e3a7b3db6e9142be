package wire

import (
	"encoding/json"
	"testing"
)

func BenchmarkDecodeV0GetPeer(b *testing.B) {
	line := []byte(`{"command":"getPeer","reqId":"b08a2df65e5ec66392da42c4dde6be6c"}`)
	var m V0
	b.ReportAllocs()
	for b.Loop() {
		if err := DecodeV0(line, &m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeV0Hello(b *testing.B) {
	line := []byte(`{"command":"hello","id":"net","version":0,"accepts":{"websocket":{"port":42733}},"transports":["websocket","webrtc","tcp"],"receiverAddress":"127.0.0.1"}`)
	var m V0
	b.ReportAllocs()
	for b.Loop() {
		if err := DecodeV0(line, &m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendAnswer(b *testing.B) {
	answer := Answer{Transport: "websocket", Opts: json.RawMessage(`{"port":42733}`), Address: "127.0.0.1", Nonce: "ecdb602ee9482467b466b85497718edb"}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendAnswer(buf[:0], "f5df6747141e398229bad01ee040eeb4", answer)
	}
}

func BenchmarkDecodeV1GetPeers(b *testing.B) {
	line := []byte(`["getpeers","2","net"]`)
	var m V1
	b.ReportAllocs()
	for b.Loop() {
		if err := DecodeV1(line, &m); err != nil {
			b.Fatal(err)
		}
	}
}

// benchmarkGuard forwards the candidates of a negotiation; reset starts a new
// one before the guard has seen too many.
func benchmarkGuard(b *testing.B, reset func() *Guard, chunk string) {
	in, out := []byte(chunk), make([]byte, 0, 4096)
	guard, n := reset(), 0
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if n++; n == maxSignalCandidates {
			b.StopTimer()
			guard, n = reset(), 0
			b.StartTimer()
		}
		var err error
		if out, err = guard.Forward(FromAsker, out[:0], in); err != nil || len(out) != len(in) {
			b.Fatal(err)
		}
	}
}

func BenchmarkGuardV0Candidate(b *testing.B) {
	benchmarkGuard(b, func() *Guard { return guardAfter(b, NewGuardV0(0), testOffer+"\n") }, testCandidate+"\n")
}

func BenchmarkGuardV1Candidate(b *testing.B) {
	start := string(*newStream().hello().control(upgrade(`"1"`, testOffer)))
	chunk := string(*new(stream).control(upgrade(`"2"`, testCandidate)))
	benchmarkGuard(b, func() *Guard { return guardAfter(b, NewGuardV1(0), start) }, chunk)
}

func guardAfter(t testing.TB, guard *Guard, start string) *Guard {
	if _, err := guard.Forward(FromAsker, nil, []byte(start)); err != nil {
		t.Fatal(err)
	}
	return guard
}

// BenchmarkGuardV0Negotiation is all that one introduction costs.
func BenchmarkGuardV0Negotiation(b *testing.B) {
	talk := relayTalks(b, "v0")[0]
	out := make([]byte, 0, 4096)
	b.SetBytes(int64(len(talk.sides[0]) + len(talk.sides[1])))
	b.ReportAllocs()
	for b.Loop() {
		guard := NewGuardV0(0)
		for side, stream := range talk.sides {
			if _, err := guard.Forward(Side(side), out, stream); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestGuardAllocatesNothing is what the benchmarks show, as a test.
func TestGuardAllocatesNothing(t *testing.T) {
	out := make([]byte, 0, 4096)
	for _, test := range []struct {
		name         string
		guard        *Guard
		start, chunk string
	}{
		{"v0", NewGuardV0(0), testOffer + "\n", testCandidate + "\n"},
		{"v1", NewGuardV1(0), string(*newStream().hello().control(upgrade(`"1"`, testOffer))), string(*new(stream).control(upgrade(`"2"`, testCandidate)))},
	} {
		guard, in := guardAfter(t, test.guard, test.start), []byte(test.chunk)
		half := len(in) / 2
		allocs := testing.AllocsPerRun(20, func() {
			for _, chunk := range [][]byte{in, in[:half], in[half:]} {
				if _, err := guard.Forward(FromAsker, out, chunk); err != nil {
					t.Fatal(err)
				}
			}
		})
		// The race detector makes sync.Pool forget some of what it is given.
		if allocs > 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", test.name, allocs)
		}
	}
}
