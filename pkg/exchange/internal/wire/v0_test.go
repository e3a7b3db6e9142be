package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeV0(t *testing.T) {
	instance := strings.Repeat("0f", 16)
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for in, want := range map[string]V0{
		`{"command":"hello","id":"net","version":0,"accepts":{"webrtc":true,"tcp":{ "port":"80" },"x":false,"y":5},"transports":["tcp",5,null,"","webrtc"],"ext":{"agent":"go/1","instance":"` + instance + `","features":["ping","exclude"],"window":65536,"token":"t","addresses":["wss://a.example:443",5,""],"more":1}}`: {
			Command: V0Hello, Name: "hello", Hello: &Hello{
				ID: "net", Accepts: map[string]json.RawMessage{"webrtc": raw(`true`), "tcp": raw(`{"port":"80"}`)}, Transports: []string{"tcp", "webrtc"},
				Ext: &Ext{Agent: "go/1", Instance: instance, Features: []string{"ping", "exclude"}, Window: 65536, Token: "t", Addresses: []string{"wss://a.example:443"}},
			},
		},
		`{"command":"hello","id":"net","version":0,"ext":{"agent":5,"instance":"ABC","features":"x","window":-1,"token":7}}`: {Command: V0Hello, Name: "hello", Hello: &Hello{ID: "net", Ext: &Ext{}}},
		`{"command":"hello","id":"net","version":0,"ext":5,"receiverAddress":7,"accepts":null,"transports":null}`:            {Command: V0Hello, Name: "hello", Hello: &Hello{ID: "net"}},
		`{"command":"getPeer","reqId":"a","exclude":["b",5,"c"]}`:                                                            {Command: V0GetPeer, Name: "getPeer", ReqID: "a", Exclude: []string{"b", "c"}},
		`{"command":"getPeer","reqId":"a","exclude":5}`:                                                                      {Command: V0GetPeer, Name: "getPeer", ReqID: "a"},
		`{"reqId":"x","command":"x","reqId":"a","command":"get\u0050eer"}`:                                                   {Command: V0GetPeer, Name: "getPeer", ReqID: "a"},
		`{"command":"accept","transport":"webrtc"}`:                                                                          {Command: V0Accept, Name: "accept", Transport: "webrtc", Opts: raw(`true`)},
		`{"command":"accept","transport":"webrtc","opts":null}`:                                                              {Command: V0Accept, Name: "accept", Transport: "webrtc", Opts: raw(`true`)},
		`{"command":"accept","transport":"webrtc","opts":0.0}`:                                                               {Command: V0Accept, Name: "accept", Transport: "webrtc", Opts: raw(`true`)},
		`{"command":"accept","transport":"tcp","opts":{"port":1e2}}`:                                                         {Command: V0Accept, Name: "accept", Transport: "tcp", Opts: raw(`{"port":100}`)},
		`{"command":"accept","transport":"tcp"}`:                                                                             {Name: "accept"},
		`{"command":"unaccept","transport":"tcp"}`:                                                                           {Command: V0Unaccept, Name: "unaccept", Transport: "tcp"},
		`{"command":"incoming","nonce":"n","transport":"webrtc"}`:                                                            {Command: V0Incoming, Name: "incoming", Nonce: "n", Transport: "webrtc"},
		`{"command":"ping","token":"t"}`:                                                                                     {Command: V0Ping, Name: "ping", Token: "t"},
		`{"command":"pong","token":"t"}`:                                                                                     {Command: V0Pong, Name: "pong", Token: "t"},
		`{"command":"credit","bytes":4096}`:                                                                                  {Command: V0Credit, Name: "credit", Bytes: 4096},
		`{"command":"refused","reason":"unauthorized"}`:                                                                      {Command: V0Refused, Name: "refused", Reason: "unauthorized"},
		`{"command":"r","transport":"webrtc","opts":true,"address":"::1","nonce":"n"}`:                                       {Name: "r", Transport: "webrtc", Opts: raw(`true`), Address: "::1", Nonce: "n"},
		`{"command":"r","transport":"webrtc","opts":true,"nonce":"n"}`:                                                       {Name: "r", Transport: "webrtc", Opts: raw(`true`), Nonce: "n"},
		`{"command":"r","transport":"tcp","opts":null,"address":"::1","nonce":"n"}`:                                          {Name: "r"},
		`{"command":"r","transport":5,"opts":true,"address":{},"nonce":[]}`:                                                  {Name: "r"},
		`{"command":"` + strings.Repeat("x", 129) + `"}`:                                                                     {},
	} {
		m := V0{Command: V0Ping, Name: "old", Token: "old"}
		if err := DecodeV0([]byte(in), &m); err != nil || !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", in, err, m, want)
		}
	}
}

func TestDecodeV0WrongTypes(t *testing.T) {
	for _, in := range []string{
		`"hello","id":"n","version":0,"accepts":[]`, `"hello","id":"n","version":0,"accepts":true`, `"hello","id":"n","version":0,"transports":{}`,
		`"hello","id":"` + strings.Repeat("x", 1025) + `","version":0`,
		`"getPeer"`, `"getPeer","reqId":5`, `"getPeer","reqId":""`, `"getPeer","reqId":"` + strings.Repeat("x", 129) + `"`,
		`"incoming","nonce":"n"`, `"incoming","transport":"webrtc"`, `"accept"`, `"accept","transport":{}`, `"unaccept","transport":null`,
		`"ping"`, `"pong","token":5`, `"credit"`, `"credit","bytes":"5"`, `"credit","bytes":0`, `"credit","bytes":-1`, `"credit","bytes":0.5`, `"credit","bytes":1e300`, `"refused"`, `"refused","reason":5`, `"refused","reason":""`,
	} {
		var m V0
		if err := DecodeV0([]byte(`{"command":`+in+`}`), &m); !errors.Is(err, ErrInvalidMessage) || !reflect.DeepEqual(m, V0{}) {
			t.Errorf("%s: %v, %+v", in, err, m)
		}
	}
}

func TestDecodeV0KeepsLittle(t *testing.T) {
	var accepts, list []string
	for i := range 1000 {
		accepts = append(accepts, fmt.Sprintf(`"t%d":{"port":1}`, i))
		list = append(list, fmt.Sprintf(`"t%d"`, i))
	}
	accepts = append(accepts, `"big":{"x":"`+strings.Repeat("x", 1024)+`"}`)
	names := "[" + strings.Join(list, ",") + "]"
	var m V0
	in := `{"command":"hello","id":"n","version":0,"accepts":{` + strings.Join(accepts, ",") + `},"transports":` + names + `,"ext":{"features":` + names + `,"agent":"` + strings.Repeat("x", 129) + `","token":"` + strings.Repeat("x", maxAccessToken+1) + `","addresses":["` + strings.Repeat("x", 257) + `",` + names[1:] + `}}`
	if err := DecodeV0([]byte(in), &m); err != nil {
		t.Fatal(err)
	}
	if h := m.Hello; len(h.Accepts) != maxTransports || len(h.Transports) != maxTransports || len(h.Ext.Features) != maxFeatures || h.Ext.Agent != "" || h.Ext.Token != "" || len(h.Ext.Addresses) != maxAddresses || h.Ext.Addresses[0] != "t0" {
		t.Errorf("%d accepts, %d transports, %d features, agent %q", len(h.Accepts), len(h.Transports), len(h.Ext.Features), h.Ext.Agent)
	}
	if err := DecodeV0([]byte(`{"command":"getPeer","reqId":"r","exclude":`+names+`}`), &m); err != nil || len(m.Exclude) != maxExclude {
		t.Errorf("%d excluded, %v", len(m.Exclude), err)
	}
}

func TestAppendV0(t *testing.T) {
	instance := strings.Repeat("0f", 16)
	for want, got := range map[string][]byte{
		`{"command":"hello","id":"<\"n\">","version":0,"accepts":{"a":{},"tcp":{"port":1},"webrtc":true},"transports":["websocket"],"receiverAddress":"::1","ext":{"agent":"go/1","instance":"` + instance + `","features":[],"addresses":["wss://a"],"token":"a\"b"}}`: AppendHello(nil, &Hello{
			ID: `<"n">`, Accepts: map[string]json.RawMessage{"tcp": json.RawMessage(`{ "port" : 1 }`), "a": json.RawMessage(`{}`), "webrtc": nil, "bad": json.RawMessage(`null`)},
			Transports: []string{"websocket"}, ReceiverAddress: "::1", Ext: &Ext{Agent: "go/1", Instance: instance, Token: `a"b`, Addresses: []string{"wss://a"}},
		}),
		`{"command":"getPeer","reqId":"r","exclude":["a","b"]}`:                                                             AppendGetPeer(nil, "r", []string{"a", "b"}),
		`{"command":"r","transport":"webrtc","opts":true,"address":"a","nonce":"n","relayed":5,"alias":"` + instance + `"}`: AppendAnswer(nil, "r", Answer{Transport: "webrtc", Address: "a", Nonce: "n", Relayed: 5, Alias: instance}),
		`{"command":"incoming","nonce":"n","transport":"webrtc","alias":"` + instance + `"}`:                                AppendIncoming(nil, "n", "webrtc", 0, instance),
		`{"command":"accept","transport":"webrtc"}`:                                                                         AppendAccept(nil, "webrtc", json.RawMessage(`true`)),
		`{"command":"accept","transport":"tcp","opts":{"port":1}}`:                                                          AppendAccept(nil, "tcp", json.RawMessage("{\n\"port\":1}")),
		`{"command":"ping","token":"t"}`:                                                                                    AppendPing(nil, "t"),
		`{"command":"pong","token":"t"}`:                                                                                    AppendPong(nil, "t"),
		`{"command":"credit","bytes":65536}`:                                                                                AppendCredit(nil, 65536),
		`{"command":"refused","reason":"unauthorized"}`:                                                                     AppendRefused(nil, "unauthorized"),
		`{"command":"r","transport":"x","opts":true,"address":"a","nonce":""}`:                                              AppendAnswer(nil, "r", Answer{Transport: "x", Address: "a"}),
	} {
		if string(got) != want+"\n" {
			t.Errorf("\n got %swant %s", got, want)
		}
	}
}

func TestCommandNames(t *testing.T) {
	if V0GetPeer.String() != "getPeer" || CommandV0(200).String() != "unknown" || V1GetPeers.String() != "getpeers" || CommandV1(200).String() != "unknown" {
		t.Error("a command has the wrong name")
	}
}

// Only what can be an alias is one.
func TestAlias(t *testing.T) {
	good := strings.Repeat("0f", 16)
	for value, want := range map[string]string{`"` + good + `"`: good, `"` + good[1:] + `"`: "", `"` + good + `0"`: "", `"` + strings.ToUpper(good) + `"`: "", `5`: "", `null`: "", `["` + good + `"]`: ""} {
		var incoming, answer V0
		if err := DecodeV0([]byte(`{"command":"incoming","nonce":"n","transport":"webrtc","alias":`+value+`}`), &incoming); err != nil || incoming.Alias != want {
			t.Errorf("incoming with %s: %q, %v", value, incoming.Alias, err)
		}
		if err := DecodeV0([]byte(`{"command":"r","transport":"webrtc","opts":true,"address":"a","nonce":"n","alias":`+value+`}`), &answer); err != nil || answer.Alias != want {
			t.Errorf("answer with %s: %q, %v", value, answer.Alias, err)
		}
	}
}
