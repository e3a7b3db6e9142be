package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// What crashes a published node, or makes it drop or ignore its connection, was
// found out with real ones. Each test below is one such finding and shows what
// this package does about it.

func refuses(t *testing.T, guard *Guard, side Side, in string, want error) {
	t.Helper()
	out, err := guard.Forward(side, nil, []byte(in))
	if !errors.Is(err, want) || len(out) > 0 {
		t.Errorf("%q: %v, want %v; out %q", in, err, want, out)
	}
}

func becomes(t *testing.T, guard *Guard, side Side, in, want string) {
	t.Helper()
	out, err := guard.Forward(side, nil, []byte(in))
	if err != nil || string(out) != want {
		t.Errorf("%v\n got %q\nwant %q", err, out, want)
	}
}

// nestedAfterHello returns a guard through which both sides said hello.
func nestedAfterHello(t *testing.T) *Guard {
	guard := NewGuardV1(0)
	for _, side := range []Side{FromAsker, FromCandidate} {
		hello := string(*newStream().hello())
		becomes(t, guard, side, hello, hello)
	}
	return guard
}

func control(lines ...string) string { return string(*new(stream).control(lines...)) }

func TestSignalsThatPublishedNodesAccept(t *testing.T) {
	for name, f := range map[string]func(*testing.T){
		"exactly type and sdp, and candidate": func(t *testing.T) {
			in := testOffer + "\n" + testCandidate + "\n"
			becomes(t, NewGuardV0(0), FromAsker, in, in)
		},
		"candidates before the offer": func(t *testing.T) {
			becomes(t, NewGuardV0(0), FromAsker, testCandidate+"\n"+testOffer+"\n", testOffer+"\n"+testCandidate+"\n")
		},
		"extra keys": func(t *testing.T) {
			in := strings.Replace(testCandidate, `}}`, `,"usernameFragment":null}}`, 1)
			becomes(t, NewGuardV0(0), FromAsker, testOffer+"\n"+in+"\n", testOffer+"\n"+testCandidate+"\n")
		},
		"empty candidate": func(t *testing.T) {
			becomes(t, NewGuardV0(0), FromAsker, `{"candidate":{"candidate":""}}`+"\n", "")
		},
		"an SDP that has candidates, and the same ones again": func(t *testing.T) {
			in := signalJSON("offer", testOfferSDP+"a=candidate:559267639 1 udp 2122136831 ::1 35943 typ host generation 0 network-id 4\r\n") + "\n" + testCandidate + "\n"
			becomes(t, NewGuardV0(0), FromAsker, in, in)
		},
		"max-message-size": func(t *testing.T) {
			if out, _, err := AppendSignal(nil, []byte(testOffer)); err != nil || !strings.Contains(string(out), `a=max-message-size:262144\r\n`) {
				t.Errorf("%s: %v", out, err)
			}
		},
	} {
		t.Run(name, f)
	}
}

func TestSignalsThatEndAPublishedNode(t *testing.T) {
	for name, in := range map[string]string{
		"empty object":               `{}`,
		"candidate without an index": `{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host"}}`,
		"bad SDP":                    `{"type":"offer","sdp":"v=0\r\n"}`,
		"null":                       `null`,
		"garbage to the candidate":   `{"type":"offer","sdp":{}}`,
	} {
		t.Run(name, func(t *testing.T) { refuses(t, NewGuardV0(0), FromAsker, in+"\n", ErrInvalidSignal) })
	}
	t.Run("null candidate", func(t *testing.T) { becomes(t, NewGuardV0(0), FromAsker, `{"candidate":null}`+"\n", "") })
	t.Run("a signal after the end", func(t *testing.T) {
		guard := NewGuardV0(0)
		refuses(t, guard, FromCandidate, testAnswer+"\n", ErrInvalidSignal)
		refuses(t, guard, FromAsker, testOffer+"\n", ErrInvalidSignal)
	})
}

func TestCrashesOfGeneration1(t *testing.T) {
	for name, f := range map[string]func(*testing.T){
		"unknown command": func(t *testing.T) {
			refuses(t, nestedAfterHello(t), FromAsker, control(`["ping","1",null]`), ErrInvalidMessage)
		},
		"not an array of three": func(t *testing.T) {
			for _, in := range []string{`["upgrade","1"]`, `["res","1",null,null]`, `[]`, `{}`, `null`, `5`, `"res"`} {
				refuses(t, nestedAfterHello(t), FromAsker, control(in), ErrInvalidMessage)
			}
		},
		"invalid JSON": func(t *testing.T) {
			for _, in := range []string{`[`, `["res","1",null]]`, `['res']`, "\x00"} {
				refuses(t, nestedAfterHello(t), FromAsker, control(in), ErrInvalidJSON)
			}
		},
		"nonce error": func(t *testing.T) {
			for _, nonce := range []string{"error", `\u0065rror`, "hello", "relay", "upgrade"} {
				refuses(t, nestedAfterHello(t), FromAsker, control(`["res","`+nonce+`",null]`), ErrInvalidMessage)
				var m V1
				if err := DecodeV1([]byte(`["getpeers","`+nonce+`","net"]`), &m); !errors.Is(err, ErrInvalidMessage) {
					t.Errorf("a request with nonce %s would be answered: %v", nonce, err)
				}
			}
		},
		"res to upgrade": func(t *testing.T) {
			guard := nestedAfterHello(t)
			offer := control(upgrade(`"1"`, testOffer))
			becomes(t, guard, FromAsker, offer, offer)
			becomes(t, guard, FromCandidate, control(`["res","1",null]`, `["res","1",[null,null]]`, `["res",1,"x"]`), "")
		},
		"res null to getpeers": func(t *testing.T) {
			guard := nestedAfterHello(t)
			request := control(`["getpeers","1","net"]`)
			becomes(t, guard, FromAsker, request, request)
			refuses(t, guard, FromCandidate, control(`["res","1",null]`), ErrInvalidMessage)
		},
		"candidate whose connectInfo is no object": func(t *testing.T) {
			for _, info := range []string{`null`, `true`, `5`, `"x"`, `[]`} {
				args := `[null,[{"id":"a","network":"net","connectInfo":` + info + `},{"id":"b","network":"net"}]]`
				if list, err := DecodeCandidates([]byte(args)); err != nil || len(list) != 0 {
					t.Errorf("decoded %v, %v", list, err)
				}
				list := []Candidate{{"a", "net", json.RawMessage(info)}, {"b", "net", nil}}
				if got := string(AppendV1Candidates(nil, NonceV1(1), list)); got != `["res","1",[null,[]]]`+"\n" {
					t.Errorf("encoded %s", got)
				}
				in := newStream().frame(0, 0, "pxp").control(`["hello","0",[1,` + info + `,["net"]]]`)
				want := newStream().frame(0, 0, "pxp").control(`["hello","0",[1,{},["net"]]]`)
				becomes(t, NewGuardV1(0), FromAsker, string(*in), string(*want))
			}
		},
		"garbage signal in the first upgrade": func(t *testing.T) {
			for _, signal := range []string{`{}`, `null`, `5`, `"x"`, `{"type":"offer"}`, `{"type":"offer","sdp":"x"}`, testAnswer} {
				refuses(t, nestedAfterHello(t), FromAsker, control(upgrade(`"1"`, signal)), ErrInvalidSignal)
			}
		},
		"a candidate before the offer in an upgrade": func(t *testing.T) {
			becomes(t, nestedAfterHello(t), FromAsker, control(upgrade(`"1"`, testCandidate)), "")
		},
		"type 5 and 6": func(t *testing.T) {
			guard := nestedAfterHello(t)
			becomes(t, guard, FromAsker, string(*new(stream).frame(0, 5, "x").frame(0, 6, "x")), string(*new(stream).frame(0, 3, "").frame(0, 4, "")))
		},
		"data after end": func(t *testing.T) {
			becomes(t, nestedAfterHello(t), FromAsker, string(*new(stream).frame(0, 4, "").frame(0, 2, "x")), string(*new(stream).frame(0, 4, "")))
		},
		"getpeers for an unknown network": func(t *testing.T) {
			refuses(t, nestedAfterHello(t), FromAsker, control(`["getpeers","1","other"]`), ErrInvalidMessage)
		},
		"relay with an unknown id": func(t *testing.T) {
			refuses(t, nestedAfterHello(t), FromAsker, control(`["relay","1",["x"]]`), ErrInvalidMessage)
		},
		"connect twice": func(t *testing.T) {
			guard := nestedAfterHello(t)
			in := control(`["connect","1","net"]`)
			becomes(t, guard, FromAsker, in, in)
			refuses(t, guard, FromCandidate, in, ErrInvalidMessage)
		},
		"hello networks null": func(t *testing.T) {
			in := newStream().frame(0, 0, "pxp")
			guard := NewGuardV1(0)
			becomes(t, guard, FromAsker, string(*in), string(*in))
			refuses(t, guard, FromAsker, control(`["hello","0",[1,{},null]]`), ErrInvalidMessage)
			var m V1
			if err := DecodeV1([]byte(`["hello","0",[1,{},null]]`), &m); !errors.Is(err, ErrInvalidMessage) {
				t.Error(err)
			}
		},
	} {
		t.Run(name, f)
	}
}

func TestCrashesOfGeneration0(t *testing.T) {
	const noPeer = `{"command":"r","transport":null,"opts":null,"address":null}` + "\n"
	for name, f := range map[string]func(*testing.T){
		"hello without transports or accepts": func(t *testing.T) {
			if got := string(AppendHello(nil, &Hello{ID: "net"})); got != `{"command":"hello","id":"net","version":0,"accepts":{},"transports":[]}`+"\n" {
				t.Error(got)
			}
		},
		"incoming for tcp or websocket": func(t *testing.T) {
			for _, transport := range []string{"tcp", "websocket"} {
				if got := AppendIncoming(nil, "n", transport, 0, ""); len(got) > 0 {
					t.Errorf("%s", got)
				}
			}
		},
		"answer without transport": func(t *testing.T) {
			if got := string(AppendAnswer(nil, "r", Answer{Address: "::1"})); got != noPeer {
				t.Error(got)
			}
		},
		"answer without address": func(t *testing.T) {
			if got := string(AppendAnswer(nil, "r", Answer{Transport: "webrtc"})); got != noPeer {
				t.Error(got)
			}
		},
		"answer with opts that cannot be dialed": func(t *testing.T) {
			for _, transport := range []string{"tcp", "websocket"} {
				for _, opts := range []string{``, `null`, `true`, `5`, `"x"`, `[]`, `{}`, `{"port":null}`, `{"port":0}`, `{"port":65536}`, `{"port":1.5}`, `{"port":"x"}`, `{"port":"80 "}`, `{"port":-1}`, `{"port":[]}`, `{"port":80,"port":0}`} {
					if got := string(AppendAnswer(nil, "r", Answer{Transport: transport, Opts: json.RawMessage(opts), Address: "::1", Nonce: "n"})); got != noPeer {
						t.Errorf("%s", got)
					}
					if opts == "" {
						continue
					}
					var m V0
					if err := DecodeV0([]byte(`{"command":"accept","transport":"`+transport+`","opts":`+opts+`}`), &m); err != nil || m.Command != V0Unknown {
						t.Errorf("accept with opts %s: %v, %v", opts, m, err)
					}
					if err := DecodeV0([]byte(`{"command":"hello","id":"n","version":0,"accepts":{"`+transport+`":`+opts+`}}`), &m); err != nil || len(m.Hello.Accepts) > 0 {
						t.Errorf("hello with opts %s: %v, %v", opts, m, err)
					}
				}
			}
		},
		"answer with opts null": func(t *testing.T) {
			if got := string(AppendAnswer(nil, "r", Answer{Transport: "webrtc", Opts: json.RawMessage("null"), Address: "::1", Nonce: "n"})); got != noPeer {
				t.Error(got)
			}
			if got := string(AppendAnswer(nil, "r", Answer{Transport: "webrtc", Opts: nil, Address: "::1", Nonce: "n"})); !strings.Contains(got, `"opts":true`) {
				t.Error(got)
			}
		},
		"a signal after its simple-peer died": func(t *testing.T) {
			guard := NewGuardV0(0)
			refuses(t, guard, FromAsker, "{}\n", ErrInvalidSignal)
			refuses(t, guard, FromCandidate, testCandidate+"\n", ErrInvalidSignal)
		},
		"wrong id or version": func(t *testing.T) {
			for in, want := range map[string]int{`0`: 0, `0.0`: 0, `-0`: 0, `1`: 1, `0.5`: -1, `-1`: -1, `1e99`: -1} {
				var m V0
				if err := DecodeV0([]byte(`{"command":"hello","id":"n","version":`+in+`}`), &m); err != nil || m.Hello.Version != want {
					t.Errorf("version %s is %v, %v", in, m.Hello, err)
				}
			}
			for _, in := range []string{`"id":"n"`, `"id":"n","version":"0"`, `"id":"n","version":null`, `"version":0`, `"id":5,"version":0`, `"id":"","version":0`} {
				var m V0
				if err := DecodeV0([]byte(`{"command":"hello",`+in+`}`), &m); !errors.Is(err, ErrInvalidMessage) {
					t.Errorf("hello with %s: %v", in, err)
				}
			}
		},
		"invalid JSON": func(t *testing.T) {
			for _, in := range []string{``, ` `, `{`, `{}}`, `{'a':1}`, `{"a":1,}`, `[1,]`, `01`, `1.`, `-`, `.5`, `1e`, `"\x"`, `"\u00g0"`, `"`, `"\`, `"` + "\n" + `"`, `nul`, `tru`, `{"a"}`, `{"a":}`, `{1:2}`, "\uFEFF{}", strings.Repeat("[", 100000)} {
				var m V0
				if err := DecodeV0([]byte(in), &m); !errors.Is(err, ErrInvalidJSON) {
					t.Errorf("%.20q: %v", in, err)
				}
			}
		},
		"garbage signal to the candidate": func(t *testing.T) {
			refuses(t, NewGuardV0(0), FromAsker, `{"type":"offer","sdp":"garbage"}`+"\n", ErrInvalidSignal)
		},
		"a varint of 101 bytes": func(t *testing.T) {
			guard := nestedAfterHello(t)
			refuses(t, guard, FromAsker, strings.Repeat("\x80", 101), ErrMalformed)
		},
		"null line": func(t *testing.T) {
			refuses(t, NewGuardV0(0), FromAsker, "null\n", ErrInvalidSignal)
		},
		"16 KiB on an unexpected channel, or of type 1": func(t *testing.T) {
			in := new(stream).frame(7, 0, "unexpected").frame(7, 2, strings.Repeat("x", 17<<10)).frame(0, 1, strings.Repeat("x", 17<<10))
			becomes(t, nestedAfterHello(t), FromAsker, string(*in), "")
		},
		"what is ignored": func(t *testing.T) {
			for _, in := range []string{`null`, `5`, `"hello"`, `true`, `[]`, `["hello"]`, `{}`, `{"command":5}`, `{"command":null}`, `{"command":"xyz","a":[{}]}`, ` {"command":"xyz"} ` + "\r"} {
				var m V0
				if err := DecodeV0([]byte(in), &m); err != nil || m.Command != V0Unknown {
					t.Errorf("%s: %v, %v", in, m, err)
				}
			}
			var m V0
			if err := DecodeV0([]byte(`{"command":"helloack","more":{"a":[1]}}`), &m); err != nil || m.Command != V0HelloAck {
				t.Errorf("%v, %v", m, err)
			}
			in := new(stream).frame(0, 2, "").frame(0, 7, "x")
			becomes(t, nestedAfterHello(t), FromAsker, string(*in), "")
		},
	} {
		t.Run(name, f)
	}
}
