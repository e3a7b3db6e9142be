package check

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/internal/seed"
)

// TestNoSuchName is without a resolver, which tests may not have.
func TestNoSuchName(t *testing.T) {
	if hint := dnsHint(&net.DNSError{IsNotFound: true}); !strings.Contains(hint, "AAAA") {
		t.Errorf("hint: %s", hint)
	}
	if hint := dnsHint(errors.New("down")); !strings.Contains(hint, "resolver") {
		t.Errorf("hint: %s", hint)
	}
}

func TestClosedPort(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	report := run(t, Config{URL: l.Addr().String()})
	want(t, report, "tcp", Failed, "refused", "--listen")
	for _, s := range report.Steps[2:] {
		want(t, report, s.Name, NotTried, "needs tcp, which failed")
	}
	if report.OK {
		t.Error("the report says that all is well")
	}
}

// TestCertificates has those that clients do not take.
func TestCertificates(t *testing.T) {
	ca := newAuthority(t)
	trusted, later := ca.file(t), time.Now().Add(365*24*time.Hour)
	for name, c := range map[string]struct {
		certificate func() (addr string)
		ca          string
		result      Result
		words       []string
	}{
		"good":       {func() string { return serveTLS(t, ca.server(t, later)) }, trusted, OK, []string{"test authority"}},
		"soon":       {func() string { return serveTLS(t, ca.server(t, time.Now().Add(time.Hour))) }, trusted, Warning, []string{"(0 days)", "Renew"}},
		"expired":    {func() string { return serveTLS(t, ca.server(t, time.Now().Add(-time.Hour))) }, trusted, Failed, []string{"expired on", "Renew it", "--tls-cert"}},
		"wrong name": {func() string { return serveTLS(t, ca.server(t, later, "seed.example")) }, trusted, Failed, []string{"is for seed.example", "127.0.0.1"}},
		"no chain":   {func() string { return serveTLS(t, ca.server(t, later)) }, "", Failed, []string{"fullchain.pem", "--ca"}},
	} {
		t.Run(name, func(t *testing.T) {
			report := run(t, Config{URL: c.certificate(), CAFile: c.ca})
			want(t, report, "tls", c.result, c.words...)
		})
	}
}

func TestSelfSigned(t *testing.T) {
	urls, _ := startSeed(t)
	report := run(t, Config{URL: urls["wss"]})
	want(t, report, "tls", Failed, "self-signed", "--ca tls.crt", "--insecure")
	want(t, report, "relay-tls", NotTried, "needs tls, which failed")

	report = run(t, Config{URL: urls["wss"], Insecure: true})
	want(t, report, "tls", Warning, "not to be trusted")
	want(t, report, "relay-tls", OK)
	if !report.OK {
		t.Errorf("report: %+v", report)
	}

	// The websocket is one thing, and turns: on the port with TLS another.
	report = run(t, Config{URL: urls["ws"]})
	want(t, report, "turn-tcp", OK)
	want(t, report, "turn-tls", Failed, "--ca tls.crt")
	want(t, report, "relay-tls", NotTried, "needs turn-tls")
}

func TestWrongScheme(t *testing.T) {
	urls, _ := startSeed(t)
	report := run(t, Config{URL: strings.Replace(urls["ws"], "ws", "wss", 1)})
	want(t, report, "tls", Failed, "without TLS", "the URL is "+urls["ws"])

	report = run(t, Config{URL: strings.Replace(urls["wss"], "wss", "ws", 1)})
	for _, name := range []string{"document", "websocket", "ice"} {
		want(t, report, name, Failed, "400", "the URL is "+urls["wss"])
	}
}

// TestWrongNetwork goes on with what belongs to no network.
func TestWrongNetwork(t *testing.T) {
	urls, ca := startSeed(t)
	report := run(t, Config{URL: urls["wss"], CAFile: ca, NetworkID: "other"})
	want(t, report, "document", Failed, `"net"`, `"other"`, "--network-id")
	want(t, report, "hello", Failed, "another network", "--network-id")
	want(t, report, "introduction", NotTried, "needs hello, which failed")
	for _, name := range []string{"relay-udp", "relay-tcp", "relay-tls"} {
		want(t, report, name, OK, "signaled within this program")
	}
}

func TestTURNOff(t *testing.T) {
	urls, _ := startSeed(t, func(c *seed.Config) { c.TURNListen = nil })
	report := run(t, Config{URL: urls["ws"]})
	want(t, report, "introduction", OK)
	want(t, report, "ice", Failed, "no TURN", "--turn-listen off", "--skip ice")
	want(t, report, "turn-tls", NotTried, "needs ice, which failed")
}

// TestNoTLSPort has TURN without TLS, which is no failure.
func TestNoTLSPort(t *testing.T) {
	urls, _ := startSeed(t, func(c *seed.Config) { c.Listen = "" })
	report := run(t, Config{URL: urls["ws"]})
	want(t, report, "relay-tcp", OK)
	want(t, report, "turn-tls", NotTried, "offers none")
	want(t, report, "relay-tls", NotTried, "offers none")
	if !report.OK {
		t.Errorf("report: %+v", report)
	}
}

// TestSomebodyElse answers in the seed's place.
func TestSomebodyElse(t *testing.T) {
	for name, c := range map[string]struct {
		answer          http.HandlerFunc
		token           string
		document, other []string // of the document; of websocket and ice too
	}{
		"web server":    {http.NotFound, "", []string{"404"}, nil},
		"page":          {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, "", []string{"not the JSON"}, nil},
		"other JSON":    {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("{}")) }, "", []string{"not the JSON"}, nil},
		"redirect":      {http.RedirectHandler("https://elsewhere.example/", http.StatusFound).ServeHTTP, "", []string{"elsewhere.example"}, []string{"redirects"}},
		"lone proxy":    {status(http.StatusBadGateway), "", []string{"502"}, []string{"reaches no seed"}},
		"members only":  {status(http.StatusUnauthorized), "", []string{"401"}, []string{"--token"}},
		"wrong token":   {status(http.StatusUnauthorized), "bad", []string{"401"}, []string{"does not take this token"}},
		"too many":      {status(http.StatusTooManyRequests), "", []string{"429"}, []string{"wait"}},
		"terminal code": {http.RedirectHandler("\x1b[31m", http.StatusFound).ServeHTTP, "", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.answer)
			defer server.Close()
			report := run(t, Config{URL: server.URL, Token: c.token})
			want(t, report, "document", Failed, append(c.document, c.other...)...)
			want(t, report, "websocket", Failed, c.other...)
			want(t, report, "ice", Failed, c.other...)
			for _, s := range report.Steps {
				if strings.ContainsRune(s.Detail+s.Hint, '\x1b') {
					t.Errorf("%s: %q", s.Name, s.Detail)
				}
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// TestToken is shown in each request.
func TestToken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	report := run(t, Config{URL: server.URL, Token: "secret"})
	for _, name := range []string{"document", "websocket", "ice"} {
		if s := step(t, report, name); s.Result != Failed || strings.Contains(s.Detail, "Unauthorized") {
			t.Errorf("%s: %s", name, s.Detail)
		}
	}
}

// TestHangsUp has a port where everybody is hung up on.
func TestHangsUp(t *testing.T) {
	report := run(t, Config{URL: "tcp://" + serve(t, func(net.Conn) {}), NetworkID: "net"})
	want(t, report, "document", Failed)
	want(t, report, "hello", Failed)
	report = run(t, Config{URL: "tls://" + serve(t, func(net.Conn) {}), NetworkID: "net"})
	want(t, report, "tls", Failed, "hangs up")
}

// TestNetworkIDIsNotKnown asks for it.
func TestNetworkIDIsNotKnown(t *testing.T) {
	report := run(t, Config{URL: "tcp://" + serve(t, func(net.Conn) {})})
	want(t, report, "hello", NotTried, "--network-id")
	want(t, report, "getpeer", NotTried)
}

// TestPrivateAddresses are of no use to those who reach the seed at a public one.
func TestPrivateAddresses(t *testing.T) {
	for address, reachable := range map[string]bool{
		"wss://seed.example": true, "wss://8.8.8.8:1": true, "wss://[2001:4860::1]:1": true,
		"wss://localhost:1": false, "wss://10.0.0.1:1": false, "wss://[::1]:1": false, "wss://[fd00::1]:1": false, "::": false,
	} {
		if isReachable(address) != reachable {
			t.Errorf("%s is reachable: %t", address, !reachable)
		}
	}
}

func TestReasonIsOneShortLine(t *testing.T) {
	got := reason(errors.New("a\nb \x1b[31m" + strings.Repeat("ü", maxReason)))
	if !strings.HasPrefix(got, "a b ?[31m") || len(got) > maxReason+10 || strings.ContainsAny(got, "\n\x1b") {
		t.Errorf("reason: %q", got)
	}
	if !isTimeout(os.ErrDeadlineExceeded) {
		t.Error("a deadline is no timeout")
	}
}
