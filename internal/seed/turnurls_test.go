package seed

import (
	"fmt"
	"slices"
	"strings"
	"testing"
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
	if err := s.bootstrap.replace([][]byte{document(fmt.Sprintf(entry, 0, 0, ""))}); err != nil {
		t.Fatal(err)
	}
	own := got()
	if len(own) != 4 || slices.ContainsFunc(own, func(url string) bool { return !strings.Contains(url, "127.0.0.1:") }) {
		t.Errorf("with an entry that has no URLs clients get %q, want the ways to the seed's own ports", own)
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
		{[]string{fmt.Sprintf(entry, 0, 0, "")}, own},
	} {
		if err := s.bootstrap.replace([][]byte{document(c.seeds...)}); err != nil {
			t.Fatal(err)
		}
		if urls := got(); !slices.Equal(urls, c.want) {
			t.Errorf("of %s clients get %q, want %q", c.seeds, urls, c.want)
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
