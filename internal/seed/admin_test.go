package seed

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// operator asks the admin port of a seed.
type operator struct {
	t      *testing.T
	seed   *testSeed
	base   string
	client *http.Client
}

// startAdministered starts a seed with an admin port, and returns once it is ready.
func startAdministered(t *testing.T, change ...func(*Config)) (*testSeed, *operator) {
	t.Helper()
	cfg := testConfig(t)
	cfg.AdminListen = "127.0.0.1:0"
	for _, c := range change {
		c(&cfg)
	}
	s := startSeed(t, cfg)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	o := &operator{t, s, "http://" + s.admin.listener.Addr().String(), &http.Client{Transport: transport}}
	o.awaitReady()
	return s, o
}

// response is an answer whose body was read.
type response struct {
	StatusCode int
	Header     http.Header
}

// do sends a request and returns the answer and its body.
func (o *operator) do(method, path string, change ...func(*http.Request)) (response, string) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(testContext(o.t), method, o.base+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, c := range change {
		c(req)
	}
	res, err := o.client.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return response{res.StatusCode, res.Header}, string(body)
}

// get decodes the JSON that is answered.
func (o *operator) get(path string, into any) {
	o.t.Helper()
	res, body := o.do("GET", path)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/json" {
		o.t.Fatalf("GET %s: %d, %s: %q", path, res.StatusCode, res.Header.Get("Content-Type"), body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		o.t.Fatalf("GET %s: %v in %q", path, err, body)
	}
}

// awaitReady asks until the seed says that it is ready.
func (o *operator) awaitReady() {
	o.t.Helper()
	ctx := testContext(o.t)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if res, _ := o.do("GET", "/readyz"); res.StatusCode == http.StatusOK {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			o.t.Fatal("the seed is not ready")
		}
	}
}

// connectAs has a node connect to the plain port of the seed over a transport.
func (s *testSeed) connectAs(t *testing.T, protocol exchange.Protocol, transport string) (*exchange.Exchange, *exchange.Peer) {
	t.Helper()
	node := newNode(t, protocol)
	p, err := node.Connect(testContext(t), transport, "127.0.0.1", transports.Options{Port: s.plain})
	if err != nil {
		t.Fatal(err)
	}
	return node, p
}

func TestAdminRequests(t *testing.T) {
	_, o := startAdministered(t)
	for _, c := range []struct {
		method, path string
		status       int
		body         string // that the answer contains
	}{
		{"GET", "/", 200, "/metrics"},
		{"GET", "/healthz", 200, "ok"},
		{"GET", "/readyz", 200, "ok"},
		{"HEAD", "/readyz", 200, ""},
		{"GET", "/status", 200, `"draining":false`},
		{"GET", "/peers", 200, `{"peers":[]}`},
		{"GET", "/metrics", 200, "seed_peers{"},
		{"GET", "/nothing", 404, ""},
		{"POST", "/status", 405, ""},
		{"GET", "/drain", 405, ""},
		{"DELETE", "/peers", 405, ""},
		{"DELETE", "/peers/0", 404, "no such peer"},
		{"DELETE", "/peers/18446744073709551616", 400, "number"},
		{"DELETE", "/peers/all", 400, "number"},
		{"GET", "/debug/pprof/", 404, ""},
		{"GET", "/debug/pprof/heap", 404, ""},
	} {
		res, body := o.do(c.method, c.path)
		if res.StatusCode != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s %s: %d %q, want %d and %q", c.method, c.path, res.StatusCode, body, c.status, c.body)
		}
	}
}

func TestAdminIsNotPublic(t *testing.T) {
	s, _ := startAdministered(t, func(c *Config) { c.AdminPprof = true })
	client, base := s.client(t)
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/status", "/peers", "/drain", "/debug/pprof/"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			req, err := http.NewRequestWithContext(testContext(t), method, base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s on a public port: %d", method, path, res.StatusCode)
			}
		}
	}
	if s.draining() {
		t.Error("a stranger shut the seed down")
	}
}

func TestProfilesOnRequest(t *testing.T) {
	_, o := startAdministered(t, func(c *Config) { c.AdminPprof = true })
	for path, want := range map[string]string{
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile", "/debug/pprof/cmdline": "seed", "/debug/pprof/symbol": "num_symbols",
	} {
		if res, body := o.do("GET", path); res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("GET %s: %d, without %q", path, res.StatusCode, want)
		}
	}
}

func TestNotReadyBeforeRun(t *testing.T) {
	s, err := New(t.Context(), testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	server := httptest.NewServer(s.adminAPI())
	defer server.Close()
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		res, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

// TestStatusShape holds what programs of operators rely on.
func TestStatusShape(t *testing.T) {
	s, o := startAdministered(t)
	s.connectAs(t, exchange.V0, transports.WebSocket)
	s.connectAs(t, exchange.V0, transports.TCP)
	s.connectAs(t, exchange.V1, transports.WebSocket)
	s.connectAs(t, exchange.V1, transports.WebSocket)
	s.await(testContext(t), t, 4)

	var got map[string]any
	o.get("/status", &got)
	var addresses []any
	for _, address := range s.document.Seeds[0].Addresses {
		addresses = append(addresses, address)
	}
	kind := func(transport, protocol string, n float64) any {
		return map[string]any{"transport": transport, "protocol": protocol, "count": n}
	}
	want := map[string]any{
		"network":  t.Name(),
		"instance": s.exchange.Instance(),
		"agent":    "peerexchange-seed/test",
		"version":  "test",
		"started":  s.started.UTC().Truncate(time.Second).Format(time.RFC3339),
		"draining": false,
		"peers": map[string]any{
			"total": 4.0,
			"by":    []any{kind("tcp", "v0", 1), kind("websocket", "v0", 1), kind("websocket", "v1", 2)},
		},
		"addresses":   addresses,
		"certificate": map[string]any{"notAfter": s.certificate.leaf().NotAfter.UTC().Format(time.RFC3339)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("status is %v, want %v", got, want)
	}
}

func TestStatusWithoutTLSAndPeers(t *testing.T) {
	_, o := startAdministered(t, func(c *Config) { c.Listen = "" })
	var got map[string]any
	o.get("/status", &got)
	if _, has := got["certificate"]; has {
		t.Errorf("there is no certificate, but %v", got["certificate"])
	}
	if want := map[string]any{"total": 0.0, "by": []any{}}; !reflect.DeepEqual(got["peers"], want) {
		t.Errorf("peers are %v, want %v", got["peers"], want)
	}
}

func TestPeersAreListedAndDisconnected(t *testing.T) {
	s, o := startAdministered(t)
	ctx := testContext(t)
	node, stays := s.connectAs(t, exchange.V0, transports.WebSocket)
	s.await(ctx, t, 1)
	_, leaves := s.connectAs(t, exchange.V1, transports.TCP)
	s.await(ctx, t, 2)

	var got struct{ Peers []map[string]any }
	o.get("/peers", &got)
	if len(got.Peers) != 2 {
		t.Fatalf("peers are %v, want 2", got.Peers)
	}
	first, second := got.Peers[0], got.Peers[1]
	for name, want := range map[string]any{
		"transport": "websocket", "protocol": "v0", "agent": "peerexchange-go", "instance": node.Instance(),
		"remoteAddress": stays.LocalAddr().String(), "outgoing": false,
	} {
		if first[name] != want {
			t.Errorf("%s is %v, want %v", name, first[name], want)
		}
	}
	if len(first) != 9 {
		t.Errorf("peer is %v, want its 9 fields", first)
	}
	for name, want := range map[string]any{"transport": "tcp", "protocol": "v1", "agent": "", "instance": "", "remoteAddress": leaves.LocalAddr().String()} {
		if second[name] != want {
			t.Errorf("%s is %v, want %v", name, second[name], want)
		}
	}
	since, err := time.Parse(time.RFC3339Nano, second["since"].(string))
	if err != nil || since.Before(s.started) || since.After(time.Now()) {
		t.Errorf("since is %v, %v", second["since"], err)
	}

	id, err := json.Marshal(second["id"])
	if err != nil {
		t.Fatal(err)
	}
	if res, body := o.do("DELETE", "/peers/"+string(id)); res.StatusCode != http.StatusNoContent {
		t.Errorf("disconnect: %d %q", res.StatusCode, body)
	}
	select {
	case <-leaves.Done():
	case <-ctx.Done():
		t.Error("the peer is still connected")
	}
	if res, _ := o.do("DELETE", "/peers/"+string(id)); res.StatusCode != http.StatusNotFound {
		t.Errorf("disconnect again: %d", res.StatusCode)
	}
	got.Peers = nil
	o.get("/peers", &got)
	if len(got.Peers) != 1 || got.Peers[0]["id"] != first["id"] || stays.Err() != nil {
		t.Errorf("peers are %v, want the first one only", got.Peers)
	}
}

func TestDrainOnRequest(t *testing.T) {
	ctx := testContext(t)
	s, o := startAdministered(t, func(c *Config) { c.DrainTimeout = stepTime })
	candidate, asker := startIntroduction(ctx, t, s)
	for range 2 { // the second is told the same
		res, body := o.do("POST", "/drain")
		if res.StatusCode != http.StatusAccepted || !strings.Contains(body, `"draining":true`) {
			t.Errorf("drain: %d %q", res.StatusCode, body)
		}
	}
	s.awaitRefusal(ctx, t)

	var status Status
	o.get("/status", &status)
	if !status.Draining || status.Peers.Total != 2 {
		t.Errorf("status is %+v, want it to drain with 2 peers", status)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if res, body := o.do("GET", path); res.StatusCode != http.StatusOK {
			t.Errorf("GET %s while draining: %d %q", path, res.StatusCode, body)
		}
	}
	if _, body := o.do("GET", "/metrics"); !strings.Contains(body, "\nseed_draining 1\n") {
		t.Error("metrics do not say that the seed drains")
	}
	if err := asker.Err(); err != nil {
		t.Errorf("a peer was disconnected in the middle of an introduction: %v", err)
	}

	// The candidate would be disconnected in the second half of the time for a drain.
	asker.Close()
	candidate.Close()
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		s.ended <- nil
	case <-ctx.Done():
		t.Fatal("the seed goes on")
	}
	if res, err := o.client.Get(o.base + "/healthz"); err == nil {
		res.Body.Close()
		t.Error("the admin port still answers")
	}
}

func TestDrainOnRequestIsBounded(t *testing.T) {
	ctx := testContext(t)
	s, o := startAdministered(t, func(c *Config) { c.DrainTimeout = 50 * time.Millisecond })
	startIntroduction(ctx, t, s)
	o.do("POST", "/drain")
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
		s.ended <- nil
	case <-ctx.Done():
		t.Fatal("the seed waits for ever")
	}
}

func TestWebPagesAreTurnedAway(t *testing.T) {
	s, o := startAdministered(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for _, c := range []struct {
		method, path string
		from         func(*http.Request)
	}{
		{"POST", "/drain", header("Origin", "https://page.example")},
		{"POST", "/drain", header("Sec-Fetch-Site", "cross-site")},
		{"DELETE", "/peers/1", header("Origin", "null")},
		{"POST", "/drain", host("page.example")},
		{"GET", "/peers", host("page.example:9090")},
	} {
		if res, body := o.do(c.method, c.path, c.from); res.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s: %d %q", c.method, c.path, res.StatusCode, body)
		}
	}
	if s.draining() {
		t.Error("a web page shut the seed down")
	}
	if res, _ := o.do("GET", "/status", host("localhost:9090")); res.StatusCode != http.StatusOK {
		t.Errorf("asked as localhost: %d", res.StatusCode)
	}
}

func TestLocalHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:9090": true, "127.0.0.1": true, "127.0.0.1:9090": true, "[::1]": true, "[::1]:9090": true,
		"": false, "page.example": false, "page.example:9090": false, "localhost.page.example": false, "127.0.0.1.page.example": false, "[page]": false,
	} {
		if isLocalHost(host) != want {
			t.Errorf("isLocalHost(%q) is %v", host, !want)
		}
	}
}
