package turn

import (
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun"
)

// TestPasswordVector is one of coturn's, made by
// `printf '1700000000:user' | openssl dgst -sha1 -hmac north -binary | base64`.
func TestPasswordVector(t *testing.T) {
	if got := Password([]byte("north"), "1700000000:user"); got != passwordVector {
		t.Errorf("password %s", got)
	}
}

func TestSplitUsername(t *testing.T) {
	for username, want := range map[string]string{"1700000000:user": "user", "1700000000": "", "1700000000:a:b": "a:b", "0:": ""} {
		expires, name, ok := splitUsername(username)
		if !ok || name != want || expires.Unix() != 1700000000 && username[0] != '0' {
			t.Errorf("%q: %v, %q, %v", username, expires, name, ok)
		}
	}
	for _, username := range []string{"", ":", ":user", "user", "user:1700000000", "-1:user", "+1:user", "1e9:user", "99999999999999999999:user", "17 :user"} {
		if _, _, ok := splitUsername(username); ok {
			t.Errorf("%q was accepted", username)
		}
	}
}

// TestWrongCredentials get 401, whatever is wrong with them.
func TestWrongCredentials(t *testing.T) {
	s := start(t, testConfig(t))
	c := newClient(t, s, TransportUDP)
	username, password, _ := s.Credentials("client")
	signed := func(username string) string { return Password([]byte(testSecret), username) }
	for _, test := range []struct{ username, password, reason string }{
		{username, password + "x", AuthMismatch},
		{username, "", AuthMismatch},
		{username + "x", password, AuthMismatch},
		{"client", signed("client"), AuthMalformed},
		{"1700000000:client", signed("1700000000:client"), AuthExpired},
		{"", signed(""), AuthMalformed},
	} {
		c.login(test.username, test.password)
		before := s.Stats().AuthFailures[test.reason]
		response, code := c.do(stun.MethodAllocate, requestUDP)
		if code != stun.CodeUnauthorized || !response.Contains(stun.AttrNonce) || !response.Contains(stun.AttrRealm) {
			t.Errorf("%q: %d: %v", test.username, code, response)
		}
		if got := s.Stats().AuthFailures[test.reason]; got != before+1 {
			t.Errorf("%q: %d failures because %s", test.username, got-before, test.reason)
		}
	}
	c.login(username, password)
	c.nonce = stun.NewNonce("stale")
	response, code := c.do(stun.MethodAllocate, requestUDP)
	if code != stun.CodeStaleNonce {
		t.Errorf("stale nonce: %d", code)
	}
	if err := c.nonce.GetFrom(response); err != nil {
		t.Fatal(err)
	}
	c.realm = "elsewhere"
	c.login(username, password)
	if _, code := c.do(stun.MethodAllocate, requestUDP); code != stun.CodeUnauthorized {
		t.Errorf("another realm: %d", code)
	}
}

// TestRotation accepts several secrets, makes credentials of the first, and lets
// allocations go on that were made with one that is gone.
func TestRotation(t *testing.T) {
	var current atomic.Pointer[[][]byte]
	set := func(texts ...string) {
		all := secrets(texts...)()
		current.Store(&all)
	}
	set("old")
	cfg := testConfig(t)
	cfg.Secrets = func() [][]byte { return *current.Load() }
	s := start(t, cfg)
	running, waiting := newClient(t, s, TransportUDP), newClient(t, s, TransportTCP)
	running.allocate()
	set("new", "old")
	waiting.allocate()
	if username, password, _ := s.Credentials("x"); password != Password([]byte("new"), username) {
		t.Error("credentials are not made of the first secret")
	}
	renewed := newClient(t, s, TransportTLS)
	set("newest", "new")
	renewed.allocate()
	for _, c := range []*client{running, waiting, renewed} {
		if code := c.refresh(600); code != 0 {
			t.Errorf("refresh: %d", code)
		}
	}
	if code := running.refresh(0); code != 0 {
		t.Errorf("end: %d", code)
	}
	if _, code := running.do(stun.MethodAllocate, requestUDP); code != stun.CodeUnauthorized {
		t.Errorf("allocation with a secret that is gone: %d", code)
	}
	set()
	if _, code := running.do(stun.MethodAllocate, requestUDP); code != stun.CodeUnauthorized {
		t.Errorf("allocation without any secret: %d", code)
	}
}

// TestExpiry stops new allocations, and no running one.
func TestExpiry(t *testing.T) {
	t.Parallel() // as it mostly waits
	s := start(t, testConfig(t))
	c := newClient(t, s, TransportTCP)
	expires := time.Now().Add(8 * time.Second).Truncate(time.Second)
	username := timestamp(expires) + ":client"
	c.login(username, Password([]byte(testSecret), username))
	c.allocate()
	eventually(t, "expired", func() bool { return !time.Now().Before(expires) })
	if code := c.refresh(600); code != 0 {
		t.Errorf("refresh: %d", code)
	}
	if code := c.bind(0x4000, echo(t)); code != 0 {
		t.Errorf("channel: %d", code)
	}
	c.sendChannel(0x4000, []byte("still there"))
	if _, _, data := c.receive(); string(data) != "still there" {
		t.Errorf("received %q", data)
	}
	if code := c.refresh(0); code != 0 {
		t.Errorf("end: %d", code)
	}
	if _, code := c.do(stun.MethodAllocate, requestUDP); code != stun.CodeUnauthorized {
		t.Errorf("allocation: %d", code)
	}
	if n := s.Stats().AuthFailures[AuthExpired]; n != 1 {
		t.Errorf("%d failures", n)
	}
}

// TestGrantsExpire in a session as they do in pion.
func TestGrantsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(newGate(&Server{cfg: Config{}.withDefaults()}, TransportUDP), peerAddr(1), "", nil)
		began := time.Now()
		now := func() int64 { return int64(time.Since(began)) }
		s.permit(peerIP, anyPort, now())
		s.bind(0x4000, peerAddr(2), now())
		time.Sleep(permissionTime - time.Nanosecond)
		if !s.permitted(peerAddr(1), now()) {
			t.Error("permission has expired early")
		}
		time.Sleep(time.Nanosecond)
		if s.permitted(peerAddr(1), now()) {
			t.Error("permission has not expired")
		}
		if n, ok := s.channel(peerAddr(2), now()); !ok || n != 0x4000 {
			t.Error("channel has expired early")
		}
		time.Sleep(channelTime - permissionTime)
		if _, ok := s.peer(0x4000, now()); ok {
			t.Error("channel has not expired")
		}
		if _, ok := s.channel(peerAddr(2), now()); ok {
			t.Error("channel's peer may still send")
		}
		s.forget(now())
		if len(s.permissions)+len(s.channels)+len(s.numbers) != 0 {
			t.Errorf("left: %v %v %v", s.permissions, s.channels, s.numbers)
		}
	})
}

const passwordVector = "2uyGWnO1vHFmQfE0HWQNi1ldYAk="

func timestamp(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func peerAddr(port uint16) netip.AddrPort { return netip.AddrPortFrom(peerIP, port) }
