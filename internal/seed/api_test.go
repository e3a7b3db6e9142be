package seed

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// client speaks HTTP to the port with TLS, with nothing but the certificate to
// know it by.
func (s *testSeed) client(t *testing.T) (client *http.Client, base string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: s.trust(t), ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}, "https://" + s.ports[0].listener.Addr().String()
}

func TestBootstrapDocument(t *testing.T) {
	cfg := testConfig(t)
	cfg.Listen = "127.0.0.1:0"
	s := startSeed(t, cfg)
	client, base := s.client(t)
	res, err := client.Get(base + "/.well-known/peer-exchange")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var got map[string]any
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	var addresses []any
	for _, p := range s.ports {
		for _, url := range p.urls("127.0.0.1") {
			addresses = append(addresses, url)
		}
	}
	want := map[string]any{
		"network":   t.Name(),
		"sequence":  0.0,
		"seeds":     []any{map[string]any{"addresses": addresses}},
		"instance":  s.exchange.Instance(),
		"agent":     "peerexchange-seed/test",
		"protocols": []any{"v0", "v1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("document is %v, want %v", got, want)
	}
}

func TestDocumentPrefersWhatOthersCanReach(t *testing.T) {
	cfg := testConfig(t)
	cfg.Listen = ":0"
	cfg.ExternalIPs = []string{"203.0.113.9:5000"}
	s := startSeed(t, cfg)
	addresses := s.document.Seeds[0].Addresses
	if want := s.ports[0].urls("203.0.113.9")[0]; addresses[0] != want {
		t.Errorf("first address is %s, want %s", addresses[0], want)
	}
	for _, address := range addresses {
		if strings.Contains(address, "localhost") || strings.Contains(address, "127.0.0.1") {
			t.Errorf("%s is nobody else's to reach", address)
		}
	}
}

func TestAPI(t *testing.T) {
	s := startSeed(t, testConfig(t))
	client, base := s.client(t)
	for _, c := range []struct {
		method, path string
		status       int
		body         string // that the answer contains
	}{
		{"GET", "/", 200, "seed of the peer-exchange network"},
		{"HEAD", "/", 200, ""},
		{"HEAD", "/.well-known/peer-exchange", 200, ""},
		{"GET", "/nothing", 404, ""},
		{"GET", "/.well-known/", 404, ""},
		{"POST", "/", 405, ""},
		{"DELETE", "/.well-known/peer-exchange", 405, ""},
		{"OPTIONS", "/.well-known/peer-exchange", 204, ""},
		{"OPTIONS", "/", 204, ""},
	} {
		req, err := http.NewRequestWithContext(testContext(t), c.method, base+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://app.example")
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.status || !strings.Contains(string(body), c.body) {
			t.Errorf("%s %s: %d %q, %v", c.method, c.path, res.StatusCode, body, err)
		}
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s %s: Access-Control-Allow-Origin is %q", c.method, c.path, got)
		}
		if res.ProtoMajor != 1 {
			t.Errorf("%s %s: answered in HTTP/%d", c.method, c.path, res.ProtoMajor)
		}
	}
}

func TestWebsocketOnAnyPathAndOrigin(t *testing.T) {
	s := startSeed(t, testConfig(t))
	client, base := s.client(t)
	for _, path := range []string{"/", "/some/path?query", "/.well-known/peer-exchange"} {
		req, err := http.NewRequestWithContext(testContext(t), "GET", base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Origin": "https://elsewhere.example",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MTMtMTIzNDU2Nzg5MDEyMw==",
		} {
			req.Header.Set(name, value)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

func TestRequestsAreBounded(t *testing.T) {
	s := startSeed(t, testConfig(t))
	client, base := s.client(t)
	req, err := http.NewRequestWithContext(testContext(t), "GET", base, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Padding", strings.Repeat("x", 2*maxHeaderBytes))
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a long header is answered with %s", res.Status)
	}
}

// TestSlowRequestIsCut sends a request at a byte a second.
func TestSlowRequestIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(http.NotFoundHandler(), func() Bootstrap { return Bootstrap{} }, nil)
		e := startEntrance(t, 10, nil)
		server := newServer(api, e.entrance)
		served := make(chan struct{})
		go func() { defer close(served); server.Serve(e.requests) }()

		began := time.Now()
		conn, closed := e.listener.dialTold()
		go io.Copy(io.Discard, conn)
		dripped := make(chan struct{})
		go func() {
			defer close(dripped)
			for _, b := range []byte("GET / HTTP/1.1\r\nHost: " + strings.Repeat("x", 60)) {
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		<-closed
		<-dripped
		if took := time.Since(began); took > 2*testHandshakeTime+time.Second {
			t.Errorf("a request at a byte a second was read for %v", took)
		}
		synctest.Wait()
		if n := e.pending.len(); n != 0 {
			t.Errorf("%d connections are pending", n)
		}
		conn.Close()
		server.Close()
		<-served
		e.end(t)
	})
}

func TestProtocolsAreNamed(t *testing.T) {
	if exchange.V0.String() != "v0" || exchange.V1.String() != "v1" {
		t.Error("the document's names of the generations changed; clients know the old ones")
	}
}
