package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeV1(t *testing.T) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for in, want := range map[string]V1{
		` [ "hello" , "0" , [ 1 , { "pxp" : true } , [ "net" , 5 , "b" ] , 7 ] ] `: {Command: V1Hello, Nonce: raw(`"0"`), Version: 1, ConnectInfo: raw(`{"pxp":true}`), Networks: []string{"net", "b"}},
		`["hello",0,[2,null,["net"]]]`:                                             {Command: V1Hello, Nonce: raw(`0`), Version: 2, Networks: []string{"net"}},
		`["hello","0",[0.5,true,[]]]`:                                              {Command: V1Hello, Nonce: raw(`"0"`), Version: -1},
		`["getpeers","a","net"]`:                                                   {Command: V1GetPeers, Nonce: raw(`"a"`), Network: "net"},
		`["connect",12,"net"]`:                                                     {Command: V1Connect, Nonce: raw(`12`), Network: "net"},
		`["relay","1",["d79f8961","more"]]`:                                        {Command: V1Relay, Nonce: raw(`"1"`), ID: "d79f8961"},
		`["incoming","1",["42a1c9b6"]]`:                                            {Command: V1Incoming, Nonce: raw(`"1"`), ID: "42a1c9b6"},
		`["upgrade","1",{"signal":{"a": 1},"transport":"webrtc"}]`:                 {Command: V1Upgrade, Nonce: raw(`"1"`), Transport: "webrtc", Signal: raw(`{"a":1}`)},
		`["res","1",null]`:                                                         {Command: V1Res, Nonce: raw(`"1"`), Args: raw(`null`)},
		`["xyz","1",null]`:                                                         {},
		`["res","1"]`:                                                              {},
		`["res","1",null,null]`:                                                    {},
		`[5,"1",null]`:                                                             {},
		`[]`:                                                                       {},
		`{}`:                                                                       {},
		`null`:                                                                     {},
	} {
		m := V1{Command: V1Res, Network: "old"}
		if err := DecodeV1([]byte(in), &m); err != nil || !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", in, err, m, want)
		}
	}
}

func TestDecodeV1WrongTypes(t *testing.T) {
	for _, in := range []string{
		`["hello","0",null]`, `["hello","0",[]]`, `["hello","0",[1,{}]]`, `["hello","0",["1",{},["net"]]]`,
		`["getpeers","1",["net"]]`, `["getpeers","1",""]`, `["connect","1",null]`, `["relay","1","d79f8961"]`, `["relay","1",[]]`, `["relay","1",[5]]`, `["incoming","1",null]`,
		`["upgrade","1",null]`, `["upgrade","1",{"transport":"webrtc"}]`, `["upgrade","1",{"signal":{}}]`, `["upgrade","1",{"transport":5,"signal":{}}]`,
		`["res",null,null]`, `["res",{},null]`, `["res",[],null]`, `["res",true,null]`, `["res",0.5,null]`, `["res",12345678901234567,null]`, `["res","` + strings.Repeat("x", 63) + `",null]`,
	} {
		var m V1
		if err := DecodeV1([]byte(in), &m); !errors.Is(err, ErrInvalidMessage) || !reflect.DeepEqual(m, V1{}) {
			t.Errorf("%s: %v, %+v", in, err, m)
		}
	}
	var m V1
	if err := DecodeV1([]byte(`["res"`), &m); !errors.Is(err, ErrInvalidJSON) {
		t.Error(err)
	}
}

func TestCandidates(t *testing.T) {
	args := `[null,[{"id":"a","network":"net","connectInfo":{"pxp":true},"x":1},{"id":"b","network":"net"},5,{"id":"","network":"net","connectInfo":{}},{"id":"c","network":"net","connectInfo":{}}]]`
	got, err := DecodeCandidates(json.RawMessage(args))
	want := []Candidate{{"a", "net", json.RawMessage(`{"pxp":true}`)}, {"c", "net", json.RawMessage(`{}`)}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	many := `[null,[` + strings.Repeat(`{"id":"a","network":"n","connectInfo":{}},`, 1000) + `0]]`
	if got, err := DecodeCandidates(json.RawMessage(many)); err != nil || len(got) != maxCandidates {
		t.Errorf("%d candidates, %v", len(got), err)
	}
	for _, bad := range []string{``, `null`, `{}`, `[]`, `[null]`, `[null,null]`, `[null,{}]`, `["text"]`, `[`} {
		if got, err := DecodeCandidates(json.RawMessage(bad)); !errors.Is(err, ErrInvalidMessage) {
			t.Errorf("%s: %v, %v", bad, got, err)
		}
	}
}

func TestResError(t *testing.T) {
	for args, want := range map[string]string{
		`null`: "", `[null,[]]`: "", `[]`: "", `false`: "", `""`: "", `0`: "",
		`"text"`: "text", `["text"]`: "text", `[true]`: "unspecified error", `{}`: "unspecified error", ``: "invalid answer",
		`"` + strings.Repeat("x", 300) + `"`: strings.Repeat("x", 256),
	} {
		got, failed := ResError(json.RawMessage(args))
		if got != want || failed != (want != "") {
			t.Errorf("%s: %q, %t", args, got, failed)
		}
	}
}

func TestAppendV1(t *testing.T) {
	for want, got := range map[string][]byte{
		`["hello","0",[1,null,["net"]]]`:                     AppendV1Hello(nil, NonceV1(0), nil, []string{"net"}),
		`["getpeers","z","<net>"]`:                           AppendV1GetPeers(nil, NonceV1(35), "<net>"),
		`["connect","10","net"]`:                             AppendV1Connect(nil, NonceV1(36), "net"),
		`["res",7,null]`:                                     AppendV1Res(nil, json.RawMessage("7")),
		`["res","1","no \"x\""]`:                             AppendV1ResError(nil, NonceV1(1), `no "x"`),
		`["res","1",["no"]]`:                                 AppendV1GetPeersError(nil, NonceV1(1), "no"),
		`["upgrade","1",{"transport":"webrtc","signal":{}}]`: AppendV1Upgrade(nil, NonceV1(1), "webrtc", json.RawMessage("{ }")),
	} {
		if string(got) != want+"\n" {
			t.Errorf("\n got %swant %s", got, want)
		}
	}
}
