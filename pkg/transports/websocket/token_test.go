package websocket_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

func TestRequestToken(t *testing.T) {
	longest := strings.Repeat("x", transport.MaxTokenBytes)
	for _, c := range []struct{ url, authorization, want string }{
		{"/", "", ""},
		{"/", "Bearer secret", "secret"},
		{"/", "bearer  secret ", "secret"},
		{"/", "Bearer", ""},
		{"/", "Basic c2VjcmV0", ""},
		{"/", "Bearer " + longest, longest},
		{"/", "Bearer " + longest + "x", ""},
		{"/?token=secret", "", "secret"},
		{"/any/path?x=1&token=a%2Bb%3D", "", "a+b="},
		{"/?token=" + longest, "", longest},
		{"/?token=" + longest + "x", "", ""},
		{"/?token=", "", ""},
		{"/?atoken=secret", "", ""},
		{"/?token=%zz", "", ""},
		{"/?token=one&token=two", "", "one"},
		{"/?token=inURL", "Bearer inHeader", "inHeader"},
		{"/?token=inURL", "Basic c2VjcmV0", "inURL"}, // a proxy's
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
		if got := websocket.RequestToken(r); got != c.want {
			t.Errorf("%.40s with %.40q: %.40q, want %.40q", c.url, c.authorization, got, c.want)
		}
	}
}

func TestTokenArrives(t *testing.T) {
	handler, server := serve(t, websocket.Config{})
	for _, token := range []string{"", "secret"} {
		opts := optionsOf(server)
		opts.Token = token
		conn, err := websocket.New(websocket.Config{}).Dial(t.Context(), "127.0.0.1", opts)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := accept(t, handler).Token(); got != token {
			t.Errorf("the token is %q, want %q", got, token)
		}
		if got := conn.(transport.Bearer).Token(); got != "" {
			t.Errorf("who dialed is shown %q", got)
		}
	}
}

func TestUnauthorized(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":"it \n has expired%s"}`, strings.Repeat("ü", 200))
	}))
	defer server.Close()
	opts := optionsOf(server)
	opts.Token = "secret"
	_, err := websocket.New(websocket.Config{}).Dial(t.Context(), "127.0.0.1", opts)
	var status *websocket.StatusError
	if !errors.Is(err, transport.ErrUnauthorized) || !errors.As(err, &status) || status.Code != http.StatusUnauthorized || len(status.Message) > 256 || !strings.Contains(err.Error(), `it \n has expired`) {
		t.Errorf("error is %v", err)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v has the token", err)
	}
	if errors.Is(&websocket.StatusError{Code: http.StatusForbidden}, transport.ErrUnauthorized) {
		t.Error("any status is taken for that")
	}
}
