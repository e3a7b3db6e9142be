package probe

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStatus(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		body string
		want Report
		err  string
	}{
		"as seeds answer":    {200, `{"network":"demo","draining":true,"peers":{"total":7,"by":[]}}`, Report{7, true}, ""},
		"of a newer seed":    {200, `{"new":1}`, Report{}, ""},
		"below zero":         {200, `{"peers":{"total":-7}}`, Report{}, ""},
		"not ready":          {503, `{}`, Report{}, "503"},
		"a way elsewhere":    {302, ``, Report{}, "302"},
		"not JSON":           {200, `ok`, Report{}, "makes no sense"},
		"without an end":     {200, `{"network":"` + strings.Repeat("x", maxStatusBytes) + `"}`, Report{}, "makes no sense"},
		"too large a number": {200, `{"peers":{"total":4294967296}}`, Report{}, "makes no sense"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/status" {
					t.Errorf("asked for %s", r.URL)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.code)
				w.Write([]byte(c.body))
			}))
			defer server.Close()
			got, err := status(t.Context(), server.Listener.Addr().String())
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	if _, err := (Prober{}).Status(t.Context(), &corev1.Pod{}); err == nil {
		t.Error("a pod without an address was asked")
	}
}
