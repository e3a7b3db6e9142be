package wire

import (
	"errors"
	"testing"
)

func TestGuardRelayed(t *testing.T) {
	const word = RelayedSignal + "\n"
	g := NewGuardV0(0)
	g.AllowRelayed()
	pass := func(side Side, in, want string) {
		t.Helper()
		got, err := g.Forward(side, nil, []byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s from %s: %q, %v, want %q", in, side, got, err, want)
		}
	}
	pass(FromAsker, testOffer+"\n"+RelayedSignal[:5], testOffer+"\n")
	pass(FromAsker, word[5:], word)
	pass(FromAsker, "\n", "")
	if g.Relayed() {
		t.Error("one side is enough")
	}
	pass(FromCandidate, testAnswer+"\n"+word, testAnswer+"\n"+word)
	if !g.Relayed() {
		t.Error("two sides are not enough")
	}
	if got, err := g.Forward(FromAsker, nil, []byte(word)); !errors.Is(err, ErrInvalidSignal) || len(got) > 0 {
		t.Errorf("after all that %q passes, %v", got, err)
	}

	// What is not byte for byte the same is a signal as any other, and so is this
	// where nobody has asked for it.
	for line, allow := range map[string]bool{`{ "relayed":true}` + "\n": true, word: false} {
		g = NewGuardV0(0)
		if allow {
			g.AllowRelayed()
		}
		if got, err := g.Forward(FromAsker, nil, []byte(line)); !errors.Is(err, ErrInvalidSignal) || len(got) > 0 {
			t.Errorf("%s passes as %q, %v", line, got, err)
		}
	}
}

func TestRelayedRate(t *testing.T) {
	for value, want := range map[string]int{`16384`: 16384, `1e3`: 1000, `true`: 0, `"1"`: 0, `-1`: 0, `0`: 0, `0.5`: 0, `1e12`: 0, `null`: 0} {
		var incoming, answer V0
		if err := DecodeV0([]byte(`{"command":"incoming","nonce":"n","transport":"webrtc","relayed":`+value+`}`), &incoming); err != nil || incoming.Relayed != want {
			t.Errorf("incoming with %s: %d, %v", value, incoming.Relayed, err)
		}
		if err := DecodeV0([]byte(`{"command":"r","transport":"webrtc","opts":true,"address":"a","nonce":"n","relayed":`+value+`}`), &answer); err != nil || answer.Relayed != want {
			t.Errorf("answer with %s: %d, %v", value, answer.Relayed, err)
		}
	}
}
