package seed

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a bootstrap document has for a seed is what clients get, from the moment that
// the file changes on, and after the seed is not in it any more.
func TestICEOfTheBootstrapDocument(t *testing.T) {
	const entry = `{"name":"seed-%d","addresses":["wss://192.0.2.%d:30443"],"turn":[%s]}`
	document := func(seeds ...string) []byte {
		return fmt.Appendf(nil, `{"network":%q,"sequence":1,"seeds":[%s]}`, t.Name(), strings.Join(seeds, ","))
	}
	other := fmt.Sprintf(entry, 1, 1, `"turn:192.0.2.1:30478?transport=udp"`)
	cfg := turnConfig(t)
	cfg.SeedName = "seed-0"
	cfg.BootstrapFile = writeFile(t, string(document(other)))
	s := startSeed(t, cfg)
	client, base := s.client(t)
	got := func() (urls []string) {
		for _, server := range getICE(t, client, base).ICEServers {
			if len(server.URLs) == 0 {
				t.Error("a server has no URL, which browsers refuse")
			}
			for _, url := range server.URLs {
				if strings.HasPrefix(url, "turn") != (server.Username != "" && server.Credential != "") {
					t.Errorf("%s has the credentials %q, %q", url, server.Username, server.Credential)
				}
				urls = append(urls, url)
			}
		}
		return urls
	}
	way := "turns:" + strings.TrimPrefix(base, "https://") + "?transport=tcp"
	if urls := got(); !slices.Equal(urls, []string{way}) {
		t.Errorf("before the seed has an entry clients get %q, want %q, which they have come by", urls, way)
	}
	if ttl := getICE(t, client, base).TTL; ttl != 60 {
		t.Errorf("before the seed has an entry clients ask again after %d seconds, want 60", ttl)
	}
	const saysNothing = `{"name":"seed-0","addresses":["wss://192.0.2.7:30443"]}`
	if err := s.bootstrap.replace([][]byte{document(saysNothing)}); err != nil {
		t.Fatal(err)
	}
	own := got()
	if len(own) != 4 || slices.ContainsFunc(own, func(url string) bool { return !strings.Contains(url, "127.0.0.1:") }) {
		t.Errorf("with an entry that says nothing of TURN clients get %q, want the ways to the seed's own ports", own)
	}

	for _, c := range []struct {
		seeds []string
		want  []string
	}{
		{[]string{other, fmt.Sprintf(entry, 0, 0, `"stun:192.0.2.7:31000","turn:192.0.2.7:31000?transport=udp","turns:192.0.2.7:30443?transport=tcp"`)},
			[]string{"stun:192.0.2.7:31000", "turn:192.0.2.7:31000?transport=udp", "turns:192.0.2.7:30443?transport=tcp"}},
		{[]string{other}, []string{"stun:192.0.2.7:31000", "turn:192.0.2.7:31000?transport=udp", "turns:192.0.2.7:30443?transport=tcp"}},
		{[]string{fmt.Sprintf(entry, 0, 0, `"turns:192.0.2.7?transport=tcp"`)}, []string{"turns:192.0.2.7?transport=tcp"}},
		{[]string{fmt.Sprintf(entry, 0, 0, `"turns:a?transport=tcp","turn:a","turn:b","turns:b","turn:c","turns:c"`)},
			[]string{"turns:a?transport=tcp", "turn:a", "turn:b", "turns:b"}},
		{[]string{fmt.Sprintf(entry, 0, 0, "")}, []string{way}},
		{[]string{other}, []string{way}},
		{[]string{saysNothing}, own},
	} {
		if err := s.bootstrap.replace([][]byte{document(c.seeds...)}); err != nil {
			t.Fatal(err)
		}
		if urls := got(); !slices.Equal(urls, c.want) {
			t.Errorf("of %s clients get %q, want %q", c.seeds, urls, c.want)
		}
		want := time.Hour
		if len(c.want) == 1 && c.want[0] == way {
			want = silentTTL // it may answer again
		}
		if lasts := s.ice.lasts(); lasts != want {
			t.Errorf("of %s clients ask again after %v, want %v", c.seeds, lasts, want)
		}
	}

	if ttl := getICE(t, client, base).TTL; ttl != 3600 {
		t.Errorf("with an entry clients ask again after %d seconds, want 3600", ttl)
	}

	err := s.bootstrap.replace([][]byte{document(fmt.Sprintf(entry, 0, 0, `"https://192.0.2.7"`))})
	if err == nil || !strings.Contains(err.Error(), `"seed-0": turn has "https://192.0.2.7"`) {
		t.Errorf("a URL that is none is taken: %v", err)
	}
	if urls := got(); !slices.Equal(urls, own) {
		t.Errorf("after a document that was refused clients get %q", urls)
	}
}

// Where who wrote the document got an answer nowhere, clients get nothing that they did
// not come by, whatever the seed thinks of its ports.
func TestICEOfSilentTURN(t *testing.T) {
	for name, c := range map[string]struct {
		turn     string // of the entry; empty is none
		external bool   // whether the seed was told its address
		by       reached
		want     string // separated by spaces
	}{
		"by TLS":                           {`,"turn":[]`, false, reached{"a.example", "443"}, "turns:a.example:443?transport=tcp"},
		"by TLS, with an address":          {`,"turn":[]`, true, reached{"a.example", "443"}, "turns:a.example:443?transport=tcp"},
		"without TLS":                      {`,"turn":[]`, false, reached{host: "a.example"}, ""},
		"without TLS, with an address":     {`,"turn":[]`, true, reached{host: "a.example"}, ""},
		"through a proxy":                  {`,"turn":[]`, true, reached{}, ""},
		"nothing is said":                  {``, false, reached{"a.example", "443"}, "stun:a.example: turn:a.example: turn:a.example: turns:a.example:443?transport=tcp"},
		"null is nothing":                  {`,"turn":null`, false, reached{"a.example", "443"}, "stun:a.example: turn:a.example: turn:a.example: turns:a.example:443?transport=tcp"},
		"nothing is said, with an address": {``, true, reached{"a.example", "443"}, "stun:192.0.2.9: turn:192.0.2.9: turn:192.0.2.9: turns:a.example:443?transport=tcp"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := turnConfig(t)
			cfg.SeedName = "seed-0"
			if c.external {
				cfg.ExternalIPs = []string{"192.0.2.9"}
			}
			cfg.BootstrapFile = writeFile(t, fmt.Sprintf(`{"network":%q,"sequence":1,"seeds":[{"name":"seed-0","addresses":["wss://192.0.2.7:30443"]%s}]}`, t.Name(), c.turn))
			s := startSeed(t, cfg)
			urls := s.ice.urls(c.by)
			got := slices.Concat(urls.stun, urls.relays)
			if !slices.EqualFunc(got, strings.Fields(c.want), strings.HasPrefix) {
				t.Errorf("clients get %q, want %q", got, c.want)
			}
			if servers := s.ice.servers(netip.Addr{}, c.by); servers == nil || (len(servers) == 0) != (c.want == "") {
				t.Errorf("the servers are %+v", servers)
			}
		})
	}
}
