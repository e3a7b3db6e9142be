package operator

import (
	"testing"

	"github.com/peerexchange/peerexchange/test/schema"
)

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		desired, live string
		want          bool
	}{
		{`{a: 1}`, `{a: 1, b: 2}`, true},
		{`{a: 1}`, `{a: 2}`, false},
		{`{a: {b: x}}`, `{a: {b: x, c: y}}`, true},
		{`{a: {b: x}}`, `{}`, false},
		{`{a: {}}`, `{}`, true},
		{`{a: ""}`, `{}`, true},
		{`{a: false}`, `{}`, true},
		{`{a: 0}`, `{}`, true},
		{`{a: true}`, `{}`, false},
		{`{ports: [{name: tls, port: 443}]}`, `{ports: [{name: plain, port: 80}, {name: tls, port: 443, nodePort: 30443}]}`, true},
		{`{ports: [{name: tls, port: 443}]}`, `{ports: [{name: tls, port: 8443}]}`, false},
		{`{ports: [{name: tls}]}`, `{}`, false},
		{`{args: [a, b]}`, `{args: [a, b]}`, true},
		{`{args: [a, b]}`, `{args: [b, a]}`, false},
		{`{args: [a]}`, `{args: [a, b]}`, false},
		{`{a: x}`, `{a: [x]}`, false},
		{`{a: [{b: 1}]}`, `{a: {b: 1}}`, false},
		{`{a: {b: 1}}`, `{a: 1}`, false},
	} {
		desired, err := schema.Object(c.desired)
		if err != nil {
			t.Fatal(err)
		}
		live, err := schema.Object(c.live)
		if err != nil {
			t.Fatal(err)
		}
		if got := within(desired, live); got != c.want {
			t.Errorf("%s is within %s: %v", c.desired, c.live, got)
		}
	}
}
