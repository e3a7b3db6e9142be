package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

const (
	firstToken  = "first-token-of-the-tests"
	secondToken = "second-token-of-the-tests"
	noToken     = "a-token-that-nobody-knows"
)

// membersConfig is that of a seed for who has one of the tokens.
func membersConfig(t *testing.T, tokens ...string) Config {
	t.Helper()
	cfg := turnConfig(t)
	cfg.Access = AccessToken
	cfg.TokenFile = filepath.Join(t.TempDir(), "tokens")
	write(t, cfg.TokenFile, strings.Join(tokens, "\n"))
	return cfg
}

func TestAccessFlags(t *testing.T) {
	for _, c := range []struct {
		access, token, secret, keys string
		want                        []string // in the error; none is no error
	}{
		{"", "", "", "", nil},
		{"public", "", "", "", nil},
		{"token", "f", "", "", nil},
		{"token", "", "f", "", nil},
		{"token", "", "", "f", nil},
		{"token", "f", "f", "f", nil},
		{"token", "", "", "", []string{"--access token", "--token-file", "--jwt-secret-file", "--jwks-file"}},
		{"", "f", "", "", []string{"--token-file", "--access token"}},
		{"public", "", "f", "", []string{"--jwt-secret-file", "--access token"}},
		{"public", "", "", "f", []string{"--jwks-file", "--access token"}},
		{"members", "f", "", "", []string{"--access", `"members"`, "public", "token"}},
	} {
		cfg := Config{NetworkID: "net", Listen: ":0", Access: c.access, TokenFile: c.token, JWTSecretFile: c.secret, JWKSFile: c.keys}
		err := cfg.withDefaults().validate()
		if (err != nil) != (c.want != nil) {
			t.Errorf("%+v: %v", c, err)
		}
		for _, want := range c.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: error %q does not say %s", c, err, want)
			}
		}
	}
}

func TestMembersThatCannotBeKnown(t *testing.T) {
	for flag, set := range map[string]func(*Config, string){
		"--token-file":      func(c *Config, file string) { c.TokenFile = file },
		"--jwt-secret-file": func(c *Config, file string) { c.JWTSecretFile = file },
		"--jwks-file":       func(c *Config, file string) { c.JWKSFile = file },
	} {
		for _, content := range []string{"", "a short one", "secret-of-the-tests " + strings.Repeat("x", 40)} {
			cfg := testConfig(t)
			cfg.Access = AccessToken
			file := filepath.Join(t.TempDir(), "file")
			write(t, file, content)
			set(&cfg, file)
			if flag == "--jwt-secret-file" && len(content) > minJWTSecretBytes {
				continue // which may well be one
			}
			_, err := New(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), flag) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "secret-of") {
				t.Errorf("%s with %q: error is %v", flag, content, err)
			}
		}
		cfg := testConfig(t)
		cfg.Access = AccessToken
		set(&cfg, filepath.Join(t.TempDir(), "none"))
		if _, err := New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s without a file: %v", flag, err)
		}
	}
}

func TestSharedTokens(t *testing.T) {
	s := new(sharedTokens)
	if err := s.replace([][]byte{[]byte("\n" + firstToken + "\r\n  " + secondToken + "\n")}); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]bool{
		firstToken: true, secondToken: true, noToken: false, "": false,
		firstToken[1:]: false, firstToken + "x": false, strings.ToUpper(firstToken): false, firstToken + "\n" + secondToken: false,
	} {
		if s.has(token) != want {
			t.Errorf("%q: %v", token, !want)
		}
	}
	if (*sharedTokens)(nil).has("") {
		t.Error("who has none takes one")
	}
	for content, want := range map[string]string{
		"fifteen-bytes--":                             "fewer than 16 bytes",
		"with a space in between":                     "printable ASCII",
		"tökens-are-ascii":                            "printable ASCII",
		strings.Repeat("x", 4097):                     "longer than 4096",
		strings.Repeat(firstToken+"\n", 17):           "more than 16",
		"\n\n":                                        "no secret",
		firstToken + "\n" + strings.Repeat("x", 4097): "token 2",
	} {
		err := s.replace([][]byte{[]byte(content)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error is %v, want %q", content, err, want)
		}
	}
	if !s.has(firstToken) {
		t.Error("a file of no use took the tokens away")
	}
}

// dialMember connects a node as a client with a token does.
func (s *testSeed) dialMember(t *testing.T, ex *exchange.Exchange, scheme, token string) (*exchange.Peer, error) {
	t.Helper()
	opts := transports.Options{Port: s.plain, Token: token}
	transport := transports.TCP
	if scheme == "wss" || scheme == "tls" {
		opts.Port, opts.Secure, opts.TLS = s.secure, true, s.trust(t)
	}
	if scheme == "ws" || scheme == "wss" {
		transport = transports.WebSocket
	}
	return ex.Connect(testContext(t), transport, "127.0.0.1", opts)
}

// TestMembersMeet has members find each other through each way into the seed, and
// strangers be turned away from all of them.
func TestMembersMeet(t *testing.T) {
	for _, c := range []struct {
		protocol exchange.Protocol
		scheme   string
		place    bool // for a token
	}{
		{exchange.V0, "ws", true},
		{exchange.V0, "wss", true},
		{exchange.V0, "tcp", true},
		{exchange.V0, "tls", true},
		{exchange.V1, "ws", true},
		{exchange.V1, "wss", true},
		{exchange.V1, "tcp", false},
		{exchange.V1, "tls", false},
	} {
		t.Run(fmt.Sprintf("%v over %s", c.protocol, c.scheme), func(t *testing.T) {
			log := new(record)
			cfg := membersConfig(t, firstToken, secondToken)
			cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			s := startSeed(t, cfg)
			if s.webrtc != nil {
				t.Error("the seed takes introductions, which come without a token")
			}
			bad := []string{"", noToken}
			if !c.place {
				bad = append(bad, firstToken)
			}
			for _, token := range bad {
				_, err := s.dialMember(t, newNode(t, c.protocol), c.scheme, token)
				if !errors.Is(err, exchange.ErrUnauthorized) || strings.Contains(err.Error(), noToken) {
					t.Errorf("a stranger with %q is told %v", token, err)
				}
			}
			s.eventually(t, "seed_refusals_total unauthorized", float64(len(bad)))
			s.eventually(t, "seed_handshake_failures_total unauthorized", float64(len(bad)))
			if c.place {
				s.meet(t, c.protocol, c.scheme)
			}
			if text := log.String(); strings.Contains(text, firstToken) || strings.Contains(text, noToken) || !strings.Contains(text, "reason=unauthorized") {
				t.Errorf("the log has a token, or does not say why nodes are refused:\n%s", text)
			}
		})
	}
}

// meet has two members find each other.
func (s *testSeed) meet(t *testing.T, protocol exchange.Protocol, scheme string) {
	t.Helper()
	ctx := testContext(t)
	accepts, asks := newNode(t, protocol), newNode(t, protocol)
	if err := accepts.Accept(ctx, transports.WebRTC, transports.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.dialMember(t, accepts, scheme, firstToken); err != nil {
		t.Fatal(err)
	}
	s.await(ctx, t, 1)
	toSeed, err := s.dialMember(t, asks, scheme, secondToken)
	if err != nil {
		t.Fatal(err)
	}
	p, err := toSeed.GetNewPeer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const message = "between members"
	got := make([]byte, len(message))
	if _, err := io.WriteString(p, message); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p, got); err != nil || string(got) != message {
		t.Errorf("got %q, %v", got, err)
	}
}

// eventually waits until a metric has a value: the other side knows a moment earlier.
func (s *testSeed) eventually(t *testing.T, name string, want float64) {
	t.Helper()
	ctx := testContext(t)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for got := gather(t, s)[name]; got != want; got = gather(t, s)[name] {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("%s is %v, want %v", name, got, want)
		}
	}
}

// record is a log that is written by several.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// TestRequestsOfStrangers looks at what HTTP answers to whom.
func TestRequestsOfStrangers(t *testing.T) {
	s := startSeed(t, membersConfig(t, firstToken))
	client, base := s.client(t)
	upgrade := map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MTMtMTIzNDU2Nzg5MDEyMw==",
	}
	with := func(header map[string]string, more ...string) map[string]string {
		all := map[string]string{more[0]: more[1]}
		for name, value := range header {
			all[name] = value
		}
		return all
	}
	for _, c := range []struct {
		path   string
		header map[string]string
		status int
		says   string
	}{
		{"/.well-known/peer-exchange", nil, 200, `"seeds"`},
		{"/", nil, 200, "/ice"},
		{"/ice", nil, 401, errNoToken.Error()},
		{"/ice", map[string]string{"Authorization": "Bearer " + noToken}, 401, errUnknownToken.Error()},
		{"/ice?token=" + noToken, nil, 401, errUnknownToken.Error()},
		{"/ice?token=" + firstToken, nil, 200, "credential"},
		{"/ice", map[string]string{"Authorization": "Bearer " + firstToken}, 200, "credential"},
		{"/", upgrade, 401, errNoToken.Error()},
		{"/some/path", upgrade, 401, "?token=TOKEN"},
		{"/?token=" + noToken, upgrade, 401, errUnknownToken.Error()},
		{"/?token=" + strings.Repeat("x", transports.MaxTokenBytes+1), upgrade, 401, errNoToken.Error()},
		{"/", with(upgrade, "Authorization", "Bearer "+noToken), 401, errUnknownToken.Error()},
		{"/", with(upgrade, "Authorization", "Bearer "+firstToken), 101, ""},
		{"/some/path?token=" + firstToken, upgrade, 101, ""},
	} {
		req, err := http.NewRequestWithContext(testContext(t), "GET", base+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range c.header {
			req.Header.Set(name, value)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var body []byte
		if res.StatusCode != http.StatusSwitchingProtocols {
			body, _ = io.ReadAll(res.Body)
		}
		res.Body.Close()
		if res.StatusCode != c.status || !strings.Contains(string(body), c.says) {
			t.Errorf("%.40s %v: %d %q", c.path, c.header, res.StatusCode, body)
		}
		challenge := res.Header.Get("WWW-Authenticate")
		if c.status != http.StatusUnauthorized {
			if challenge != "" {
				t.Errorf("%s: is asked for %q", c.path, challenge)
			}
			continue
		}
		var answer struct{ Error string }
		if err := json.Unmarshal(body, &answer); err != nil || !strings.Contains(answer.Error, "Authorization: Bearer") {
			t.Errorf("%s: %s, %v", c.path, body, err)
		}
		if !strings.HasPrefix(challenge, "Bearer ") || strings.Contains(challenge, "invalid_token") != strings.Contains(answer.Error, errUnknownToken.Error()) {
			t.Errorf("%s: is asked for %q", c.path, challenge)
		}
		if strings.Contains(string(body), noToken) {
			t.Errorf("%s: the token is in the answer", c.path)
		}
		if c.header == nil && res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: web pages cannot read why", c.path)
		}
	}
	s.eventually(t, "seed_ice_requests_total unauthorized", 3)
	s.eventually(t, "seed_ice_requests_total answered", 2)
	s.eventually(t, "seed_refusals_total unauthorized", 5)
}

// TestTokensRotate goes from one token to another, and nobody is turned away on
// the way, or disconnected after it.
func TestTokensRotate(t *testing.T) {
	log := new(record)
	cfg := membersConfig(t, firstToken)
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	s := startSeed(t, cfg, func(s *Seed) { s.members.files[0].interval = 1 << 60 }) // the test has it look
	reload := s.members.files[0].check
	good := func(token string) bool {
		t.Helper()
		_, err := s.dialMember(t, newNode(t, exchange.V0), "tcp", token)
		if err != nil && !errors.Is(err, exchange.ErrUnauthorized) {
			t.Fatal(err)
		}
		return err == nil
	}
	before, err := s.dialMember(t, newNode(t, exchange.V0), "ws", firstToken)
	if err != nil {
		t.Fatal(err)
	}
	s.await(testContext(t), t, 1)
	member := s.exchange.Peers()[0]
	if servers, _ := s.ice.forPeer(member); !member.Authorized() || len(servers) == 0 {
		t.Error("a member gets no TURN credentials")
	}
	write(t, cfg.TokenFile, secondToken+"\n"+firstToken)
	reload()
	if !good(firstToken) || !good(secondToken) {
		t.Error("one of two tokens is refused")
	}
	write(t, cfg.TokenFile, secondToken)
	reload()
	if good(firstToken) || !good(secondToken) {
		t.Error("the old token is good, or the new one is not")
	}
	if servers, _ := s.ice.forPeer(member); member.Authorized() || len(servers) != 0 {
		t.Error("a token that is gone brings TURN credentials")
	}
	for range 3 {
		write(t, cfg.TokenFile, "short")
		reload()
	}
	if err := os.Remove(cfg.TokenFile); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		reload()
	}
	if !good(secondToken) {
		t.Error("a file of no use took the token away")
	}
	if n := strings.Count(log.String(), "changed files are of no use"); n != 2 {
		t.Errorf("said %d times, want once for each of two faults:\n%s", n, log.String())
	}
	if _, err := before.GetNewPeer(testContext(t)); err != nil && !errors.Is(err, exchange.ErrNoCandidates) {
		t.Errorf("who was connected before: %v", err)
	}
}

// TestRunWatchesTokens lets the seed itself look at the file.
func TestRunWatchesTokens(t *testing.T) {
	cfg := membersConfig(t, firstToken)
	taken := make(chan struct{})
	cfg.Logger = slog.New(onRecord{slog.DiscardHandler, "changed files were taken over", taken})
	s := startSeed(t, cfg, func(s *Seed) { s.members.files[0].interval = 1 })
	swap(t, cfg.TokenFile, secondToken)
	select {
	case <-taken:
	case <-testContext(t).Done():
		t.Fatal("nothing was taken over")
	}
	if _, err := s.dialMember(t, newNode(t, exchange.V0), "ws", secondToken); err != nil {
		t.Error(err)
	}
}

func TestWelcomeTellsMembers(t *testing.T) {
	s := startSeed(t, membersConfig(t, firstToken))
	for _, want := range []string{"members only", `?token=TOKEN"`, "port: '"} {
		if text := s.Welcome(); !strings.Contains(text, want) || strings.Contains(text, firstToken) {
			t.Errorf("no %q, or a token, in:\n%s", want, text)
		}
	}
}

// TestAdmitGoesOnBeingAsked follows what a token of a peer is worth.
func TestAdmitGoesOnBeingAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &members{network: "net", secrets: hmacKeys(t)}
		token := signHS256(t, jwtSecret, map[string]any{"exp": inAnHour()})
		valid, err := m.admit(exchange.Credentials{Token: token})
		if err != nil || !valid() {
			t.Fatalf("not admitted: %v", err)
		}
		time.Sleep(time.Hour + jwtLeeway + time.Second)
		if valid() {
			t.Error("an expired token is good")
		}
	})
}
