package webrtc

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func stunServer(name string) []ICEServer { return []ICEServer{{URLs: []string{"stun:" + name}}} }

func urlsOf(servers []ICEServer) (urls []string) {
	for _, s := range servers {
		urls = append(urls, s.URLs...)
	}
	return urls
}

// TestRelayOnlyWithLearnedServers connects a node that knows no TURN server until
// it is told of one.
func TestRelayOnlyWithLearnedServers(t *testing.T) {
	hidden := closeAtEnd(t, New(Config{RelayOnly: true}))
	plain := closeAtEnd(t, New(Config{Loopback: LoopbackAlways}))
	hidden.UseICEServers("seed", stunServer("192.0.2.1"), time.Now().Add(time.Hour))
	if _, err := hidden.Negotiate(testContext(t), 0, &script{}); !errors.Is(err, ErrNoTURN) {
		t.Errorf("without a TURN server Negotiate returned %v", err)
	}
	url := startTURN(t, "user", "secret")
	hidden.UseICEServers("seed", []ICEServer{{URLs: []string{url}, Username: "user", Credential: "secret"}}, time.Now().Add(time.Hour))
	c1, c2 := connect(t, hidden, plain)
	exchange(t, c1, c2)
	if !c1.Relayed() {
		t.Error("the hidden node's path is not said to be relayed")
	}
	c1.Close()
	if !c1.Relayed() {
		t.Error("the path is forgotten after the end")
	}
	hidden.UseICEServers("seed", nil, time.Time{})
	if _, err := hidden.Negotiate(testContext(t), 0, &script{}); !errors.Is(err, ErrNoTURN) {
		t.Errorf("once the seed is gone Negotiate returned %v", err)
	}
}

func TestLearnedServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{}
		start := time.Now()
		want := func(names ...string) {
			t.Helper()
			var urls []string
			for _, name := range names {
				urls = append(urls, "stun:"+name)
			}
			if got := urlsOf(tr.learned.servers()); !slices.Equal(got, urls) {
				t.Errorf("after %v: %v, want %v", time.Since(start), got, urls)
			}
		}
		use := func(source, name string, ttl time.Duration) {
			tr.UseICEServers(source, stunServer(name), time.Now().Add(ttl))
		}
		use("a", "a1", time.Minute)
		use("b", "b1", 2*time.Minute)
		want("b1", "a1")
		use("a", "a2", 3*time.Minute)
		want("a2", "b1")
		time.Sleep(2 * time.Minute)
		want("a2")
		use("b", "b2", time.Hour)
		want("b2", "a2")
		tr.UseICEServers("b", nil, time.Now())
		want("a2")
		time.Sleep(time.Minute)
		want()

		// However many there are, few are used and kept.
		for i := range 100 {
			use(fmt.Sprint(i), fmt.Sprint(i), time.Duration(i+1)*time.Minute)
		}
		want("99", "98")
		if n := len(tr.learned.lessons); n != sourcesKept {
			t.Errorf("kept %d sources", n)
		}
		use("late", "late", time.Minute)
		tr.UseICEServers("99", nil, time.Now())
		want("98", "97")
	})
}

// TestLearnedServersThatAreNone leaves out what would make negotiations fail.
func TestLearnedServersThatAreNone(t *testing.T) {
	tr := closeAtEnd(t, New(Config{}))
	tr.UseICEServers("seed", []ICEServer{
		{}, {URLs: []string{"", "http://192.0.2.1", "stun:", "stun:192.0.2.1:x", "stun:192.0.2.1?transport=udp", "turn:192.0.2.1?transport=sctp"}},
		{URLs: []string{"turn:192.0.2.1", "stun:192.0.2.2"}},
		{URLs: []string{"turns:192.0.2.1"}, Username: "user"},
		{URLs: []string{"turns:192.0.2.3"}, Username: "user", Credential: "secret"},
	}, time.Now().Add(time.Hour))
	if got, want := urlsOf(tr.learned.servers()), []string{"stun:192.0.2.2", "turns:192.0.2.3"}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	pc, err := tr.newPeerConnection(nil)
	if err != nil {
		t.Fatal(err)
	}
	pc.Close()
}
