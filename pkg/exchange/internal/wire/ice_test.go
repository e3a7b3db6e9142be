package wire

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeICE(t *testing.T) {
	for in, want := range map[string]V0{
		`"servers":[{"urls":["turn:s?transport=udp","turns:[::1]:443"],"username":"u","credential":"c"}],"ttl":60`: {
			Servers: []ICEServer{{URLs: []string{"turn:s?transport=udp", "turns:[::1]:443"}, Username: "u", Credential: "c"}}, TTL: 60},
		`"servers":[{"urls":"stun:s","more":1},5,null,{},{"urls":5},{"urls":["http://s","stun:",7,"stun:a b","TURN:s","stuns:s"]}],"ttl":1e9`: {
			Servers: []ICEServer{{URLs: []string{"stun:s"}}, {URLs: []string{"stuns:s"}}}, TTL: maxICETTL},
		`"servers":[{"urls":["turn:s"],"username":5,"credential":{}}],"ttl":1`: {Servers: []ICEServer{{URLs: []string{"turn:s"}}}, TTL: 1},
		`"servers":[],"ttl":1`: {TTL: 1},
	} {
		want.Command, want.Name = V0ICE, "ice"
		var m V0
		if err := DecodeV0([]byte(`{"command":"ice",`+in+`}`), &m); err != nil || !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", in, err, m, want)
		}
	}
	for _, in := range []string{`"ttl":1`, `"servers":[]`, `"servers":{},"ttl":1`, `"servers":[],"ttl":0`, `"servers":[],"ttl":-1`, `"servers":[],"ttl":"1"`, `"servers":[],"ttl":0.5`} {
		var m V0
		if err := DecodeV0([]byte(`{"command":"ice",`+in+`}`), &m); !errors.Is(err, ErrInvalidMessage) {
			t.Errorf("%s: %v, %+v", in, err, m)
		}
	}
}

// TestICEKeepsLittle sends more than a node keeps, and has it leave that out in
// what it sends itself.
func TestICEKeepsLittle(t *testing.T) {
	var urls []string
	for i := range 100 {
		urls = append(urls, fmt.Sprintf("stun:s%d", i))
	}
	long := strings.Repeat("x", maxICECredential+1)
	list := `["stun:` + long + `","` + strings.Join(urls, `","`) + `"]`
	server := `{"urls":` + list + `,"username":"` + long + `","credential":"` + long + `"}`
	var m V0
	if err := DecodeV0([]byte(`{"command":"ice","servers":[`+strings.Repeat(server+",", 99)+server+`],"ttl":9}`), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Servers) != maxICEServers || len(m.Servers[0].URLs) != maxICEURLs || m.Servers[0].Username != "" || m.Servers[0].Credential != "" {
		t.Errorf("kept %d servers, the first is %+v", len(m.Servers), m.Servers[0])
	}
	many := make([]ICEServer, 100)
	for i := range many {
		many[i].URLs = append([]string{"http://s"}, urls...)
	}
	var again V0
	line := AppendICE(nil, many, 9)
	if err := DecodeV0(line[:len(line)-1], &again); err != nil || !reflect.DeepEqual(m, again) {
		t.Errorf("%v\n got %+v\nwant %+v", err, again, m)
	}
	if got := string(AppendICE(nil, []ICEServer{{}, {URLs: []string{"ftp:s"}}}, 5)); got != `{"command":"ice","servers":[],"ttl":5}`+"\n" {
		t.Errorf("no servers are %s", got)
	}
}
