package operator

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestListed(t *testing.T) {
	hosts := []string{"wss://a:1", "wss://b:1", "wss://c:1"}
	for _, c := range []struct {
		all  []string
		most int
		want string
	}{
		{nil, 10, ""},
		{hosts, 31, "wss://a:1, wss://b:1, wss://c:1"},
		{hosts, 30, "wss://a:1, and 2 more"},
		{hosts, 21, "wss://a:1, and 2 more"},
		{hosts, 20, "wss://a:1, wss://…"},
		{hosts[:1], 8, "wss:/…"},
	} {
		if got := listed(c.all, ", ", c.most); got != c.want {
			t.Errorf("in %d bytes %q are %q, want %q", c.most, c.all, got, c.want)
		}
	}
}

// A text that is cut is still one, wherever it is cut.
func TestCut(t *testing.T) {
	const text = "Größe in 日本"
	for most := len("…"); most <= len(text); most++ {
		got := cut(text, most)
		if len(got) > most || !utf8.ValidString(got) || got != text && !strings.HasPrefix(text, strings.TrimSuffix(got, "…")) {
			t.Errorf("in %d bytes %q is %q", most, text, got)
		}
	}
}
