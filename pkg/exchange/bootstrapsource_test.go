package exchange

import (
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// publish serves what the returned value holds.
func publish(t *testing.T, document []byte) (*httptest.Server, *atomic.Value) {
	t.Helper()
	var current atomic.Value
	current.Store(document)
	mux := http.NewServeMux()
	serve := func(w http.ResponseWriter, _ *http.Request) { w.Write(current.Load().([]byte)) }
	mux.HandleFunc(bootstrapPath, serve)
	mux.HandleFunc("/elsewhere.json", serve)
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/elsewhere.json", http.StatusFound)
	})
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere.json", http.StatusFound)
	})
	mux.HandleFunc("/around", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/around", http.StatusFound)
	})
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	return server, &current
}

func TestBootstrapSource(t *testing.T) {
	server, current := publish(t, signBootstrap(t, testBootstrap(7)))
	s := &BootstrapSource{URL: server.URL, Key: bootstrapPublic, Network: "demo", Client: server.Client()}
	fetch := func(sequence uint64, want error) {
		t.Helper()
		b, err := s.Fetch(t.Context())
		if !errors.Is(err, want) {
			t.Fatalf("error is %v, want %v", err, want)
		}
		if want == nil && b.Sequence != sequence || want != nil && b != nil {
			t.Errorf("got %+v", b)
		}
	}
	fetch(7, nil)
	fetch(7, nil)
	current.Store(signBootstrap(t, testBootstrap(9)))
	fetch(9, nil)
	current.Store(signBootstrap(t, testBootstrap(8)))
	fetch(0, ErrBootstrapOutdated)
	other := testBootstrap(10)
	other.Network = "other"
	current.Store(signBootstrap(t, other))
	fetch(0, ErrNetworkMismatch)
	current.Store([]byte(testBootstrap(11).plain()))
	fetch(0, ErrBootstrapSignature)
	// None of these counts as seen.
	current.Store(signBootstrap(t, testBootstrap(9)))
	fetch(9, nil)
	s = &BootstrapSource{URL: server.URL, Key: bootstrapPublic, MinSequence: 10, Client: server.Client()}
	fetch(0, ErrBootstrapOutdated)
}

func TestFetchBootstrap(t *testing.T) {
	document := signBootstrap(t, testBootstrap(7))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(document) }))
	defer server.Close()
	if b, err := FetchBootstrap(t.Context(), server.URL, bootstrapPublic); err != nil || b.Sequence != 7 {
		t.Errorf("got %+v, %v", b, err)
	}
	document = []byte(testBootstrap(8).plain())
	if b, err := FetchBootstrap(t.Context(), server.URL, bootstrapPublic); !errors.Is(err, ErrBootstrapSignature) {
		t.Errorf("unsigned: got %+v, %v", b, err)
	}
}

func TestBootstrapSourceRefuses(t *testing.T) {
	server, current := publish(t, []byte(testBootstrap(1).plain()))
	try := func(url string, key ed25519.PublicKey) error {
		_, err := (&BootstrapSource{URL: url, Key: key, Client: server.Client()}).Fetch(t.Context())
		return err
	}
	for _, path := range []string{"", "/", "/elsewhere.json", "/here"} {
		if err := try(server.URL+path, nil); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, c := range []struct{ url, says string }{
		{"", "https://"},
		{"seed.example", "https://"},
		{"https://", "https://"},
		{"ftp://seed.example", "https"},
		{"wss://seed.example", "https"},
		{"http://192.0.2.1", "key"},
		{server.URL + "/away", "key"},
		{server.URL + "/around", "redirects"},
		{server.URL + "/nothing?secret=hush", "404"},
	} {
		err := try(c.url, nil)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: error %v does not say %q", c.url, err, c.says)
		}
	}
	current.Store([]byte(strings.Repeat(" ", maxBootstrapBytes+1)))
	if err := try(server.URL, nil); err == nil || !strings.Contains(err.Error(), "65536") {
		t.Errorf("too long: %v", err)
	}
	// With a key it may come over http, from this machine even without.
	current.Store(signBootstrap(t, testBootstrap(1)))
	plain := httptest.NewServer(server.Config.Handler)
	defer plain.Close()
	for _, key := range []ed25519.PublicKey{nil, bootstrapPublic} {
		if _, err := (&BootstrapSource{URL: plain.URL, Key: key, Client: plain.Client()}).Fetch(t.Context()); err != nil {
			t.Error(err)
		}
	}
	remote := &BootstrapSource{URL: "http://192.0.2.1", Key: bootstrapPublic}
	if _, err := remote.parseURL(); err != nil {
		t.Error(err)
	}
}
