package plan

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// seed is one that is published at these addresses.
func seed(name string, addresses ...string) v1.SeedStatus {
	return v1.SeedStatus{Name: name, Ready: true, Reachable: true, Addresses: addresses}
}

func TestPublish(t *testing.T) {
	unreachable, draining, starting := seed("b", "wss://b:1"), seed("b", "wss://b:1"), seed("b", "wss://b:1")
	unreachable.Reachable, draining.Draining, starting.Ready = false, true, false
	relaying := seed("a", "wss://a:1")
	relaying.TURNAddresses = []string{"stun:a:3478"}
	both := []v1.SeedStatus{seed("a", "wss://a:1"), seed("b", "wss://b:1")}
	for name, c := range map[string]struct {
		seeds                []v1.SeedStatus
		before               []v1.SeedStatus // nil is none
		sequence             int64           // of that
		want                 string          // names
		next                 int64
		published, withdrawn string
	}{
		"the first":                {both[:1], nil, 0, "a", 1, "wss://a:1", ""},
		"none yet":                 {nil, nil, 0, "", 1, "", ""},
		"nothing changes":          {both, both, 7, "a b", 7, "", ""},
		"one more":                 {both, both[:1], 7, "a b", 8, "wss://b:1", ""},
		"one is not reached":       {[]v1.SeedStatus{both[0], unreachable}, both, 7, "a", 8, "", "wss://b:1"},
		"one drains":               {[]v1.SeedStatus{both[0], draining}, both, 7, "a", 8, "", "wss://b:1"},
		"one takes no connections": {[]v1.SeedStatus{both[0], starting}, both, 7, "a", 8, "", "wss://b:1"},
		"one has no address":       {[]v1.SeedStatus{both[0], seed("b")}, both, 7, "a", 8, "", "wss://b:1"},
		"one moves":                {[]v1.SeedStatus{both[0], seed("b", "wss://c:1")}, both, 7, "a b", 8, "wss://c:1", "wss://b:1"},
		"in another order":         {[]v1.SeedStatus{seed("a", "tls://a:1", "wss://a:1")}, []v1.SeedStatus{seed("a", "wss://a:1", "tls://a:1")}, 7, "a", 8, "", ""},
		"one gets TURN":            {[]v1.SeedStatus{relaying}, both[:1], 7, "a", 8, "", ""},
		"all are gone":             {nil, both, 7, "", 8, "", "wss://a:1 wss://b:1"},
	} {
		t.Run(name, func(t *testing.T) {
			var before *Document
			if c.sequence > 0 {
				out := Publish("demo", c.before, &Document{Network: "demo", Sequence: c.sequence - 1}).Document
				before = Read(out.Encode())
			}
			got := Publish("demo", c.seeds, before)
			var names []string
			for _, seed := range got.Document.Seeds {
				names = append(names, seed.Name)
			}
			if !slices.Equal(names, strings.Fields(c.want)) || got.Document.Sequence != c.next {
				t.Errorf("got %q with the number %d, want %q with %d", names, got.Document.Sequence, c.want, c.next)
			}
			if !slices.Equal(got.Published, strings.Fields(c.published)) || !slices.Equal(got.Withdrawn, strings.Fields(c.withdrawn)) {
				t.Errorf("%q are published and %q withdrawn", got.Published, got.Withdrawn)
			}
		})
	}
}

func TestDocument(t *testing.T) {
	d := Publish("demo", []v1.SeedStatus{seed("demo-seed-0", "wss://a:1", "tls://a:1")}, nil).Document
	const want = `{"network":"demo","sequence":1,"seeds":[{"name":"demo-seed-0","addresses":["wss://a:1","tls://a:1"]}]}` + "\n"
	if got := string(d.Encode()); got != want {
		t.Errorf("the document is %s, want %s", got, want)
	}
	if got := string(Publish("demo", nil, nil).Document.Encode()); !strings.Contains(got, `"seeds":[]`) {
		t.Errorf("a document of nobody is %s", got)
	}
	for _, broken := range []string{"", "null and more", `{"seeds":{}}`} {
		if got := Read([]byte(broken)); got != nil {
			t.Errorf("%q is read as %+v", broken, got)
		}
	}
}
