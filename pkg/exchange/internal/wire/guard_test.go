package wire

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

// step is what one side sends and what must come out for it.
type step struct {
	side Side
	in   string
	want string
	err  error
}

func runGuard(t *testing.T, guard *Guard, steps []step) {
	t.Helper()
	for i, s := range steps {
		out, err := guard.Forward(s.side, nil, []byte(s.in))
		if !errors.Is(err, s.err) || string(out) != s.want {
			t.Fatalf("step %d: %v, want %v\n got %q\nwant %q", i, err, s.err, out, s.want)
		}
	}
}

func TestGuardV0(t *testing.T) {
	const candidateLF = testCandidate + "\n"
	other := strings.Replace(testCandidate, `"sdpMid":"0"`, `"sdpMid":"1"`, 1) + "\n"
	noMid := strings.Replace(testCandidate, `"sdpMid":"0"`, `"sdpMid":null`, 1) + "\n"
	offer, answer := testOffer+"\n", testAnswer+"\n"
	answerMid1 := signalJSON("answer", strings.NewReplacer("a=mid:0", "a=mid:1", "BUNDLE 0", "BUNDLE 1").Replace(testAnswerSDP)) + "\n"
	unbundled := signalJSON("offer", strings.Replace(testOfferSDP, "a=group:BUNDLE 0\r\n", "", 1)) + "\n"

	for name, steps := range map[string][]step{
		"offer, answer, candidates": {
			{FromAsker, offer + candidateLF, offer + candidateLF, nil},
			{FromCandidate, answer + candidateLF, answer + candidateLF, nil},
			{FromAsker, candidateLF, candidateLF, nil},
		},
		"candidates wait for the offer": {
			{FromAsker, candidateLF + noMid, "", nil},
			{FromAsker, offer, offer + candidateLF + candidateLF, nil},
		},
		"candidates wait for the answer": {
			{FromCandidate, candidateLF, "", nil},
			{FromAsker, offer, offer, nil},
			{FromCandidate, answer, answer + candidateLF, nil},
		},
		"CRLF and empty lines":            {{FromAsker, "\n\r\n" + testOffer + "\r\n\n", offer, nil}},
		"half a line waits":               {{FromAsker, testOffer[:50], "", nil}, {FromAsker, offer[50:], offer, nil}},
		"second offer":                    {{FromAsker, offer + offer, offer, nil}},
		"second answer":                   {{FromAsker, offer, offer, nil}, {FromCandidate, answer + answer, answer, nil}},
		"nothing to say":                  {{FromAsker, offer + `{"candidate":{"candidate":""}}` + "\n" + `{"renegotiate":true}` + "\n", offer, nil}},
		"offer of the candidate":          {{FromCandidate, offer, "", ErrInvalidSignal}},
		"answer of the asker":             {{FromAsker, answer, "", ErrInvalidSignal}},
		"answer before the offer":         {{FromCandidate, answer, "", ErrInvalidSignal}, {FromAsker, offer, "", ErrInvalidSignal}},
		"answer for another section":      {{FromAsker, offer, offer, nil}, {FromCandidate, answerMid1, "", ErrInvalidSignal}},
		"answer bundles what was not":     {{FromAsker, unbundled, unbundled, nil}, {FromCandidate, answer, "", ErrInvalidSignal}},
		"candidate for another section":   {{FromAsker, offer + other, offer, ErrInvalidSignal}},
		"early candidate for another one": {{FromAsker, other + offer, offer, ErrInvalidSignal}},
		"what came before an error":       {{FromAsker, offer + "{}\n" + candidateLF, offer, ErrInvalidSignal}},
		"invalid JSON":                    {{FromAsker, "{\n", "", ErrInvalidJSON}},
		"too deep":                        {{FromAsker, strings.Repeat("[", 33) + strings.Repeat("]", 33) + "\n", "", ErrInvalidJSON}},
		"line too long":                   {{FromAsker, strings.Repeat(" ", DefaultMaxSignal+1) + "\n", "", ErrMessageTooLarge}},
		"line without end too long":       {{FromAsker, strings.Repeat(" ", DefaultMaxSignal+2), "", ErrMessageTooLarge}},
		"too many candidates": {
			{FromAsker, offer + strings.Repeat(candidateLF, maxSignalCandidates), offer + strings.Repeat(candidateLF, maxSignalCandidates), nil},
			{FromAsker, candidateLF, "", ErrTooManySignals},
		},
		"too many early candidates": {
			{FromAsker, strings.Repeat(candidateLF, maxHeldSignals), "", nil},
			{FromAsker, candidateLF, "", ErrTooManySignals},
		},
		"too many lines": {
			{FromAsker, strings.Repeat(`{"renegotiate":true}`+"\n", maxSignalLines), "", nil},
			{FromAsker, `{"renegotiate":true}` + "\n", "", ErrTooManySignals},
		},
	} {
		t.Run(name, func(t *testing.T) { runGuard(t, NewGuardV0(0), steps) })
	}
}

func TestGuardV0HoldsLittle(t *testing.T) {
	guard := NewGuardV0(1000)
	line := strings.Replace(testCandidate, "ufrag", strings.Repeat("x y ", 100)+"ufrag", 1) + "\n"
	if _, err := guard.Forward(FromAsker, nil, []byte(line)); err != nil {
		t.Fatal(err)
	}
	if _, err := guard.Forward(FromAsker, nil, []byte(line)); !errors.Is(err, ErrTooManySignals) {
		t.Errorf("two candidates of %d bytes held: %v", len(line), err)
	}
}

func TestGuardLimitsWhatComesOut(t *testing.T) {
	sdp := testOfferSDP + strings.Repeat("a=x\r\n", 100)
	in := signalJSON("offer", strings.ReplaceAll(sdp, "\r\n", "\n"))
	refuses(t, NewGuardV0(len(in)), FromAsker, in+"\n", ErrMessageTooLarge)
	limit := len(signalJSON("offer", sdp))
	becomes(t, NewGuardV0(limit), FromAsker, in+"\n", signalJSON("offer", sdp)+"\n")

	in = upgrade("1", in)
	guard := guardAfter(t, NewGuardV1(len(in)), string(*newStream().hello()))
	refuses(t, guard, FromAsker, control(in), ErrMessageTooLarge)
	out := upgrade("1", signalJSON("offer", sdp))
	guard = guardAfter(t, NewGuardV1(len(out)), string(*newStream().hello()))
	becomes(t, guard, FromAsker, control(in), control(out))
}

func TestGuardV1(t *testing.T) {
	pass := func(side Side, s *stream) step { return step{side, string(*s), string(*s), nil} }
	become := func(side Side, in, want *stream) step { return step{side, string(*in), string(*want), nil} }
	fail := func(side Side, in, want *stream, err error) step {
		return step{side, string(*in), string(*want), err}
	}
	start := func() *stream { return newStream().hello() }
	more := func() *stream { return new(stream) }
	offer := func() *stream { return more().control(upgrade(`"1"`, testOffer)) }

	for name, steps := range map[string][]step{
		"hello and signals": {
			pass(FromAsker, start()),
			pass(FromCandidate, start()),
			pass(FromAsker, more().control(upgrade(`"1"`, testOffer), upgrade(`"2"`, testCandidate))),
			pass(FromCandidate, more().control(upgrade(`"1"`, testAnswer), upgrade(`"2"`, testCandidate))),
		},
		"early candidates keep their nonce": {
			become(FromAsker, start().control(upgrade(`"1"`, testCandidate), upgrade(`"2"`, testOffer)),
				start().control(upgrade(`"2"`, testOffer), upgrade(`"1"`, testCandidate))),
		},
		"frames are cut and joined": {
			become(FromAsker, newStream().frame(0, 0, "pxp").frame(0, 2, "").frame(0, 2, testHelloV1[:9]).
				frame(0, 2, testHelloV1[9:]+"\r\n\n"+upgrade(`"1"`, testOffer)+"\n"+upgrade(`"2"`, testCandidate)+"\n"),
				start().control(upgrade(`"1"`, testOffer), upgrade(`"2"`, testCandidate))),
		},
		"varints written long": {
			become(FromAsker, func() *stream {
				s := append(*newStream(), 0x80, 0x80, 0, 0x83, 0, 'p', 'x', 'p')
				return (&s).control(testHelloV1)
			}(), start()),
		},
		"end, once, and nothing after it": {
			become(FromAsker, start().frame(0, 4, "").frame(0, 4, "").frame(0, 2, "x\n").frame(0, 6, ""), start().frame(0, 4, "")),
		},
		"destroy becomes end": {
			become(FromAsker, start().frame(0, 6, "some reason"), start().frame(0, 4, "")),
			become(FromCandidate, newStream().frame(0, 5, "x").frame(0, 5, "").frame(0, 3, ""), newStream().frame(0, 3, "")),
		},
		"end of a channel nobody has": {
			become(FromAsker, start().frame(1, 4, "").frame(0, 3, "").frame(0, 5, "x"), start()),
		},
		"data on the other's channel and no type": {
			become(FromAsker, start().frame(0, 1, strings.Repeat("x", 20000)).frame(0, 7, "xxx"), start()),
		},
		"channels nobody expects": {
			become(FromAsker, start().frame(1, 0, "data:net").frame(1, 2, "xxx").frame(2, 0, "").frame(3, 0, "relay:57bceab0").frame(3, 2, "#PXP#").frame(4, 0, "pxp").frame(4, 2, "x"), start()),
		},
		"data after connect": {
			pass(FromCandidate, start()),
			pass(FromAsker, start().control(`["connect","1","net"]`).frame(1, 0, "data:net").frame(1, 2, "hello from B")),
			pass(FromCandidate, more().control(`["res","1",null]`).frame(5, 0, "data:net").frame(5, 2, "hello from C").frame(5, 4, "")),
		},
		"large data frame is cut": {
			pass(FromCandidate, start()),
			become(FromAsker, start().control(`["connect","1","net"]`).frame(1, 0, "data:net").frame(1, 2, strings.Repeat("x", 70000)),
				start().control(`["connect","1","net"]`).frame(1, 0, "data:net").frame(1, 2, strings.Repeat("x", 65536)).frame(1, 2, strings.Repeat("x", 70000-65536))),
		},
		"connect refused": {
			pass(FromCandidate, start()),
			pass(FromAsker, start().control(`["connect","1","net"]`)),
			pass(FromCandidate, more().control(`["res","1","no"]`)),
		},
		"connect twice": {
			pass(FromCandidate, start()),
			fail(FromAsker, start().control(`["connect","1","net"]`, `["connect","2","net"]`), start().control(`["connect","1","net"]`), ErrInvalidMessage),
		},
		"candidates inside a relay are none": {
			pass(FromCandidate, start()),
			pass(FromAsker, start().control(`["getpeers","1","net"]`, `["getpeers",2,"net"]`)),
			become(FromCandidate, more().control(`["res","1",[null,[{"id":"d79f8961","network":"net","connectInfo":null}]]]`, `["res","2",["text",5]]`),
				more().control(`["res","1",[null,[]]]`, `["res","2",["text"]]`)),
		},
		"getpeers of an unknown network": {
			pass(FromCandidate, start()),
			fail(FromAsker, start().control(`["getpeers","1","other"]`), start(), ErrInvalidMessage),
		},
		"getpeers before the other's hello": {fail(FromAsker, start().control(`["getpeers","1","net"]`), start(), ErrInvalidMessage)},
		"too many requests": {
			pass(FromCandidate, start()),
			pass(FromAsker, start()),
			step{FromAsker, strings.Repeat(string(*more().control(`["getpeers","1","net"]`)), maxNestedRequests+1), strings.Repeat(string(*more().control(`["getpeers","1","net"]`)), maxNestedRequests), ErrTooManySignals},
		},
		"res that nobody waits for": {become(FromAsker, start().control(`["res","1",null]`), start())},
		"second hello":              {become(FromAsker, start().control(testHelloV1), start())},
		"connectInfo null": {
			become(FromAsker, newStream().frame(0, 0, "pxp").control(`["hello","0",[1,null,["net"]]]`), newStream().frame(0, 0, "pxp").control(`["hello","0",[1,{},["net"]]]`)),
		},
		"second offer": {become(FromAsker, start().control(upgrade(`"1"`, testOffer), upgrade(`"2"`, testOffer)), start().control(upgrade(`"1"`, testOffer)))},
		"no more than 1023 channels": {
			fail(FromAsker, start().frame(1024, 0, "data:net"), start(), ErrMalformed),
		},
		"id opened again":        {fail(FromAsker, start().frame(0, 0, "pxp"), start(), ErrMalformed)},
		"name too long":          {fail(FromAsker, start().frame(1, 0, strings.Repeat("x", 257)), start(), ErrMessageTooLarge)},
		"not the magic":          {{FromAsker, "#PXX#", "", ErrMalformed}},
		"magic in pieces":        {{FromAsker, "#P", "", nil}, {FromAsker, "XP#", "#PXP#", nil}},
		"varint of 11 bytes":     {{FromAsker, MagicV1 + strings.Repeat("\x80", 11), MagicV1, ErrMalformed}},
		"varint overflows":       {{FromAsker, MagicV1 + strings.Repeat("\xff", 9) + "\x7f", MagicV1, ErrMalformed}},
		"frame of a petabyte":    {{FromAsker, MagicV1 + "\x00\xff\xff\xff\xff\xff\xff\xff\x01", MagicV1, ErrMalformed}},
		"message before hello":   {fail(FromAsker, newStream().frame(0, 0, "pxp").control(upgrade(`"1"`, testOffer)), newStream().frame(0, 0, "pxp"), ErrInvalidMessage)},
		"version 2":              {fail(FromAsker, newStream().frame(0, 0, "pxp").control(`["hello","0",[2,{},["net"]]]`), newStream().frame(0, 0, "pxp"), ErrInvalidMessage)},
		"hello without networks": {fail(FromAsker, newStream().frame(0, 0, "pxp").control(`["hello","0",[1,{},[]]]`), newStream().frame(0, 0, "pxp"), ErrInvalidMessage)},
		"relay inside a relay":   {fail(FromAsker, start().control(`["relay","1",["d79f8961"]]`), start(), ErrInvalidMessage)},
		"incoming in a relay":    {fail(FromAsker, start().control(`["incoming","1",["d79f8961"]]`), start(), ErrInvalidMessage)},
		"upgrade to tcp":         {fail(FromAsker, start().control(`["upgrade","1",{"transport":"tcp","signal":{}}]`), start(), ErrInvalidMessage)},
		"upgrade without signal": {fail(FromAsker, start().control(`["upgrade","1",{"transport":"webrtc"}]`), start(), ErrInvalidMessage)},
		"answer of the asker":    {pass(FromAsker, start()), fail(FromAsker, more().control(upgrade(`"1"`, testAnswer)), more(), ErrInvalidSignal)},
		"offer, then garbage":    {pass(FromAsker, start()), pass(FromAsker, offer()), fail(FromAsker, more().control(upgrade(`"2"`, `{}`)), more(), ErrInvalidSignal)},
	} {
		t.Run(name, func(t *testing.T) { runGuard(t, NewGuardV1(0), steps) })
	}
}

func TestGuardFromTwoGoroutines(t *testing.T) {
	guard := NewGuardV0(0)
	if _, err := guard.Forward(FromAsker, nil, []byte(testOffer+"\n")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for side, first := range []string{"", testAnswer + "\n"} {
		wg.Go(func() {
			in := []byte(first + strings.Repeat(testCandidate+"\n", 100))
			if out, err := guard.Forward(Side(side), nil, in); err != nil || string(out) != string(in) {
				t.Errorf("%s: %v", Side(side), err)
			}
		})
	}
	wg.Wait()
}

func TestGuardHeld(t *testing.T) {
	guard := NewGuardV0(0)
	forward := func(guard *Guard, in string) {
		t.Helper()
		if _, err := guard.Forward(FromAsker, nil, []byte(in)); err != nil {
			t.Fatal(err)
		}
	}
	held := func(guard *Guard, least, most int) {
		t.Helper()
		if got := guard.Held(FromAsker); got < least || got > most {
			t.Errorf("the asker's side holds %d bytes, want %d to %d", got, least, most)
		}
		if got := guard.Held(FromCandidate); got != 0 {
			t.Errorf("the candidate's side holds %d bytes", got)
		}
	}
	held(guard, 0, 0)
	forward(guard, testCandidate+"\n")
	held(guard, len(testCandidate), 2*len(testCandidate))
	half := testOffer[:len(testOffer)/2]
	forward(guard, half)
	held(guard, len(testCandidate)+len(half), DefaultMaxSignal+2*len(testCandidate))
	forward(guard, testOffer[len(half):]+"\n")
	held(guard, 0, 0)

	guard = NewGuardV1(0)
	network := strings.Repeat("n", 1000)
	start := newStream().frame(0, 0, "pxp").control(`["hello","0",[1,{},["` + network + `"]]]`)
	forward(guard, string(*start))
	held(guard, len(network), len(network)+10)
	forward(guard, string(*new(stream).frame(0, 2, half)))
	held(guard, len(network)+len(half), len(network)+DefaultMaxSignal)
}
