package wire

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDecodeGoAway(t *testing.T) {
	for in, want := range map[string]V0{
		`{"command":"goaway","addresses":["wss://a",5,"","tls://b"],"within":1500}`: {Addresses: []string{"wss://a", "tls://b"}, Within: 1500 * time.Millisecond},
		`{"command":"goaway","addresses":5,"within":0}`:                             {},
		`{"command":"goaway","within":1e15}`:                                        {Within: 24 * time.Hour},
	} {
		want.Command, want.Name = V0GoAway, "goaway"
		var m V0
		if err := DecodeV0([]byte(in), &m); err != nil || !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", in, err, m, want)
		}
	}
	for _, in := range []string{``, `,"within":"5"`, `,"within":-1`, `,"within":0.5`} {
		var m V0
		if err := DecodeV0([]byte(`{"command":"goaway"`+in+`}`), &m); !errors.Is(err, ErrInvalidMessage) || !reflect.DeepEqual(m, V0{}) {
			t.Errorf("%s: %v, %+v", in, err, m)
		}
	}
}

// Of a node that names more addresses than it may, or longer ones, some are kept.
func TestGoAwayKeepsLittle(t *testing.T) {
	list := []string{strings.Repeat("x", 257)}
	for i := range 100 {
		list = append(list, fmt.Sprintf("wss://%d", i))
	}
	in := `{"command":"goaway","addresses":["` + strings.Join(list, `","`) + `"],"within":1}`
	for what, line := range map[string][]byte{"taken": []byte(in), "sent": AppendGoAway(nil, list, time.Millisecond)} {
		var m V0
		if err := DecodeV0(line, &m); err != nil || !slices.Equal(m.Addresses, list[1:1+maxElsewhere]) {
			t.Errorf("%s: %q, %v", what, m.Addresses, err)
		}
	}
}

func TestAppendGoAway(t *testing.T) {
	for want, got := range map[string][]byte{
		`{"command":"goaway","addresses":["wss://a"],"within":1500}`: AppendGoAway(nil, []string{"wss://a", "", strings.Repeat("x", 257)}, 1500*time.Millisecond+time.Microsecond),
		`{"command":"goaway","addresses":[],"within":0}`:             AppendGoAway(nil, nil, -time.Second),
	} {
		if string(got) != want+"\n" {
			t.Errorf("\n got %swant %s", got, want)
		}
	}
}
