package plan

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/pkg/exchange"
)

var (
	signingKey = ed25519.NewKeyFromSeed([]byte("a seed of thirty-two bytes, ok?!"))
	otherKey   = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
)

// seed is one that is published at these addresses.
func seed(name string, addresses ...string) v1.SeedStatus {
	return v1.SeedStatus{Name: name, Ready: true, Reachable: true, Addresses: addresses}
}

func publish(t testing.TB, p Publishing) Publication {
	t.Helper()
	if p.Key == nil {
		p.Key = signingKey
	}
	publication, err := Publish(p)
	if err != nil {
		t.Fatal(err)
	}
	verified, err := exchange.ParseBootstrap(publication.Signed, p.Key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatalf("%s: %v", publication.Signed, err)
	}
	if verified.Signed = nil; fmt.Sprint(*verified) != fmt.Sprint(publication.Document) {
		t.Errorf("signed is %v, and not %v", *verified, publication.Document)
	}
	return publication
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
		sequence             uint64          // of that
		want                 string          // names
		next                 uint64
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
			var before []byte
			if c.sequence > 0 {
				before = publish(t, Publishing{Network: "demo", Seeds: c.before, Sequence: int64(c.sequence) - 1}).Signed
			}
			got := publish(t, Publishing{Network: "demo", Seeds: c.seeds, Before: before})
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
	d := publish(t, Publishing{Network: "demo", Seeds: []v1.SeedStatus{seed("demo-seed-0", "wss://a:1", "tls://a:1")}})
	const want = `{"network":"demo","sequence":1,"seeds":[{"name":"demo-seed-0","addresses":["wss://a:1","tls://a:1"]}],"signed":{`
	if got := string(d.Signed); !strings.HasPrefix(got, want) {
		t.Errorf("the document is %s, want %s", got, want)
	}
	// No URL that works is not the same as no word about them.
	silent := seed("demo-seed-0", "wss://a:1")
	silent.TURNAddresses = []string{}
	d = publish(t, Publishing{Network: "demo", Seeds: []v1.SeedStatus{silent}})
	if got := string(d.Signed); !strings.HasPrefix(got, `{"network":"demo","sequence":1,"seeds":[{"name":"demo-seed-0","addresses":["wss://a:1"],"turn":[]}],"signed":{`) {
		t.Errorf("of a seed whose TURN server is silent the document is %s", got)
	}
	if got := string(publish(t, Publishing{Network: "demo"}).Signed); !strings.Contains(got, `"seeds":[]`) {
		t.Errorf("a document of nobody is %s", got)
	}
	for _, broken := range []string{"", "null and more", `{"seeds":{}}`, `{"network":"demo","sequence":9007199254740992}`, `{"network":"demo","sequence":-1}`} {
		if got := ReadDocument([]byte(broken)); !reflect.DeepEqual(got, exchange.Bootstrap{}) {
			t.Errorf("%q is read as %+v", broken, got)
		}
	}
}

// A document is the next one after any that may have been out, unless it is the same
// byte for byte.
func TestSequence(t *testing.T) {
	seeds := []v1.SeedStatus{seed("a", "wss://a:1")}
	out := publish(t, Publishing{Network: "demo", Seeds: seeds, Sequence: 6})
	unsigned := out.Document
	unsigned.Signed = nil
	ofOlderOperator, err := json.Marshal(unsigned)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in   Publishing
		want uint64
	}{
		"the same":                      {Publishing{Before: out.Signed}, 7},
		"the same, and the status late": {Publishing{Before: out.Signed, Sequence: 6}, 7},
		"not signed before":             {Publishing{Before: ofOlderOperator}, 8},
		"signed with another key":       {Publishing{Before: out.Signed, Key: otherKey}, 8},
		"deleted":                       {Publishing{Sequence: 7}, 8},
		"an older one put back":         {Publishing{Before: out.Signed, Sequence: 9}, 10},
		"changed by hand":               {Publishing{Before: append(slices.Clone(out.Signed), ' ')}, 8},
		"made nonsense":                 {Publishing{Before: []byte("{}"), Sequence: 7}, 8},
		"numbered out of range":         {Publishing{Before: bytes.ReplaceAll(ofOlderOperator, []byte(`"sequence":7`), []byte(`"sequence":18446744073709551615`)), Sequence: 7}, 8},
		"of another network":            {Publishing{Before: bytes.ReplaceAll(ofOlderOperator, []byte("demo"), []byte("others"))}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.Network, c.in.Seeds = "demo", seeds
			got := publish(t, c.in)
			if got.Document.Sequence != c.want {
				t.Errorf("the number is %d, want %d", got.Document.Sequence, c.want)
			}
			c.in.Before = got.Signed
			if again := publish(t, c.in); !bytes.Equal(again.Signed, got.Signed) {
				t.Errorf("then it is another: %s and %s", got.Signed, again.Signed)
			}
		})
	}
}

// A document for as many seeds as there may be is one that clients read, and has an
// address of each, however long the names are.
func TestLongDocuments(t *testing.T) {
	for name, c := range map[string]struct {
		hosts     func(seed int) []string
		left      string
		addresses int
		turn      int
	}{
		"one address each": {func(i int) []string { return []string{fmt.Sprintf("203.0.113.%d", i)} }, "", 2, 4},
		"addresses of two kinds": {func(i int) []string {
			return []string{fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("[2001:db8:1234:5678::%x]", i)}
		}, shortenings[1].left, 2, 4},
		"names of virtual hosts": {func(i int) []string {
			return []string{fmt.Sprintf("ec2-203-0-113-%d.eu-west-1.compute.amazonaws.com", 100+i)}
		}, shortenings[2].left, 2, 2},
		"names of load balancers": {func(i int) []string {
			return []string{"k8s-games-demoseed-" + fmt.Sprintf("%010d-%016d", i, i) + ".elb.eu-central-1.amazonaws.com"}
		}, shortenings[3].left, 1, 2},
		"the longest of a domain":      {func(i int) []string { return []string{fmt.Sprintf("%d.%s", i, strings.Repeat("x.", 98)+"long")} }, shortenings[4].left, 1, 0},
		"the same, and TURN is silent": {func(i int) []string { return []string{fmt.Sprintf("%d.%s", i, strings.Repeat("x.", 98)+"long")} }, shortenings[3].left, 1, 0},
		"many addresses of a node":     {func(i int) []string { return slices.Repeat([]string{fmt.Sprintf("203.0.113.%d", i)}, 8) }, shortenings[1].left, 2, 4},
	} {
		t.Run(name, func(t *testing.T) {
			in := Publishing{Network: strings.Repeat(`"`, 128), Sequence: maxSequence - 1}
			for i := range 64 {
				s := seed(fmt.Sprintf("a23456789-b23456789-c23456789-d23456789-seed-%d", i))
				for _, scheme := range []string{"wss", "tls"} {
					for _, host := range c.hosts(i) {
						s.Addresses = append(s.Addresses, scheme+"://"+host+":30443")
					}
				}
				for _, kind := range []string{"stun:%s:30478", "turn:%s:30478?transport=udp", "turn:%s:30478?transport=tcp", "turns:%s:30443?transport=tcp"} {
					for _, host := range c.hosts(i) {
						s.TURNAddresses = append(s.TURNAddresses, fmt.Sprintf(kind, host))
					}
				}
				if strings.HasSuffix(name, "TURN is silent") {
					s.TURNAddresses = []string{}
				}
				in.Seeds = append(in.Seeds, s)
			}
			got := publish(t, in)
			if _, err := exchange.ReadBootstrapFile(got.Signed); err != nil {
				t.Errorf("seeds do not take it: %v", err)
			}
			if got.Left != c.left || len(got.Signed) > 63<<10 || len(got.Document.Seeds) != 64 {
				t.Errorf("%d bytes for %d seeds, without %q; want it without %q", len(got.Signed), len(got.Document.Seeds), got.Left, c.left)
			}
			for i, s := range got.Document.Seeds {
				if len(s.Addresses) != c.addresses || len(s.TURN) != c.turn || s.Addresses[0] != in.Seeds[i].Addresses[0] {
					t.Fatalf("%s is at %q, with %q", s.Name, s.Addresses, s.TURN)
				}
				// What is left out for its length is not told to be silent.
				if silent := s.TURN != nil && len(s.TURN) == 0; silent != (len(in.Seeds[i].TURNAddresses) == 0) {
					t.Fatalf("of %s silent is %v", s.Name, silent)
				}
			}
			in.Before, in.Sequence = got.Signed, 0
			if again := publish(t, in); !bytes.Equal(again.Signed, got.Signed) {
				t.Error("then it is another")
			}
		})
	}
}

func TestPublishNothingThatSeedsRefuse(t *testing.T) {
	for name, in := range map[string]Publishing{
		"no address":  {Network: "demo", Seeds: []v1.SeedStatus{seed("a", "https://a")}, Key: signingKey},
		"no network":  {Key: signingKey},
		"no key":      {Network: "demo"},
		"half a key":  {Network: "demo", Key: signingKey[:5]},
		"a long name": {Network: "demo", Seeds: []v1.SeedStatus{seed(strings.Repeat("a", 64<<10), "wss://a")}, Key: signingKey},
	} {
		if got, err := Publish(in); err == nil {
			t.Errorf("%s: published is %s", name, got.Signed)
		}
	}
}
