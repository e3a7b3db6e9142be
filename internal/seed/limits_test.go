package seed

import (
	"slices"
	"testing"
)

func TestLimits(t *testing.T) {
	var l Limits
	for _, name := range LimitNames() {
		if LimitHelp(name) == "" {
			t.Errorf("limit %s has no help", name)
		}
		defaults := DefaultLimits()
		if err := l.Set(name, defaults.Get(name)); err != nil {
			t.Errorf("its own default: %v", err)
		}
	}
	if l != DefaultLimits() {
		t.Errorf("setting every default gives %+v", l)
	}
	if err := l.Set("all", "unlimited"); err != nil {
		t.Fatal(err)
	}
	if l.Get(pendingConnections) != "unlimited" || l.Get("peers") != "unlimited" {
		t.Errorf("all=unlimited left limits: %+v", l)
	}
	for _, own := range ownLimits {
		if l.Get(own.name) != "unlimited" {
			t.Errorf("all=unlimited left %s=%s", own.name, l.Get(own.name))
		}
	}
	if err := l.Set("turn-bytes", "1MiB"); err != nil || l.TURNBytes != 1<<20 {
		t.Errorf("turn-bytes=1MiB is %d, %v", l.TURNBytes, err)
	}
	for _, value := range []string{"0", "-1", "x", "", "3GiB"} {
		if err := l.Set("turn-bytes", value); err == nil {
			t.Errorf("turn-bytes=%s is accepted", value)
		}
	}
	for _, value := range []string{"0", "-1", "x", "", "99999999999"} {
		if err := l.Set(pendingConnections, value); err == nil {
			t.Errorf("%s=%s is accepted", pendingConnections, value)
		}
	}
	if err := l.Set("nonsense", "1"); err == nil {
		t.Error("an unknown name is accepted")
	}
	if !slices.Contains(LimitNames(), pendingConnections) {
		t.Error("the seed's own limit is not listed")
	}
}
