package seed

import (
	"reflect"
	"slices"
	"testing"

	"github.com/peerexchange/peerexchange/internal/turn"
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

// Each limit of the TURN server is one of the seed's, which has a name and can be taken away.
func TestEveryTURNLimitHasAName(t *testing.T) {
	defaults := DefaultLimits()
	if got, want := defaults.turn(), turn.DefaultLimits(); got != want {
		t.Errorf("the TURN server's limits are %+v, want %+v", got, want)
	}
	var l Limits
	if err := l.Set("all", "unlimited"); err != nil {
		t.Fatal(err)
	}
	limits := reflect.ValueOf(l.turn())
	for i := range limits.NumField() {
		if field := limits.Field(i); field.Int() >= 0 {
			t.Errorf("all=unlimited leaves turn.Limits.%s = %d", limits.Type().Field(i).Name, field.Int())
		}
	}
}
