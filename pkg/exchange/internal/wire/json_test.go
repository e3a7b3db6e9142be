package wire

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
)

// What JSON.stringify(JSON.parse(in)) gives in Node 20.
func TestCompact(t *testing.T) {
	for in, want := range map[string]string{
		` { "a" : [ 1 , 2 , { } ] , "b" : [ ] } `:    `{"a":[1,2,{}],"b":[]}`,
		`{"a":1,"b":2,"\u0061":3}`:                   `{"a":3,"b":2}`,
		`"\u003c\u003E\u0026\/\u2028\u007f"`:         "\"<>&/\u2028\u007f\"",
		`"\u0000\u001f\b\f\n\r\t\"\\\u000b"`:         `"\u0000\u001f\b\f\n\r\t\"\\\u000b"`,
		`"\ud83d\ude00 é"`:                           `"😀 é"`,
		`[1.0,-0,0.10,1e3,1E400,-5,1e21,1e-7]`:       `[1,0,0.1,1000,null,-5,1e+21,1e-7]`,
		`[123456789012345678901,0.1e1,100000000e-3]`: `[123456789012345680000,1,100000]`,
		`[true,false,null]`:                          `[true,false,null]`,
		"\"\xff\xc3\"":                               "\"\uFFFD\uFFFD\"",
		`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"a":2,"j":{"x":1,"x":[2]}}`: `{"a":2,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":{"x":[2]}}`,
	} {
		value, ok := validate([]byte(in))
		if !ok {
			t.Errorf("%s is not valid", in)
			continue
		}
		if got := string(appendCompact(nil, value)); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		"":                       `""`,
		"plain":                  `"plain"`,
		"<script>&\u2028\u2029'": "\"<script>&\u2028\u2029'\"",
		"\x00\x1f\x7f":           "\"\\u0000\\u001f\x7f\"",
		"\b\f\n\r\t\"\\/":        `"\b\f\n\r\t\"\\/"`,
		"a\xffb\xf0\x9f":         "\"a\uFFFDb\uFFFD\uFFFD\"",
		"\uFFFD":                 "\"\uFFFD\"",
	} {
		got := appendQuoted(nil, s)
		if string(got) != want || string(appendQuoted(nil, []byte(s))) != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
		if back := unquote(got); back != strings.ToValidUTF8(s, "\uFFFD") && !strings.ContainsRune(back, '\uFFFD') {
			t.Errorf("%q came back as %q", s, back)
		}
	}
}

func TestUnquote(t *testing.T) {
	for raw, want := range map[string]string{
		`"\ud83d\ude00"`:           "😀",
		`"\ud83d"`:                 "\uFFFD",
		`"\ude00x"`:                "\uFFFDx",
		`"\ud83d\u0041"`:           "\uFFFDA",
		`"\ud83d\ud83d\ude00"`:     "\uFFFD😀",
		`"\"\\\/\b\f\n\r\t\u0041"`: "\"\\/\b\f\n\r\tA",
		"\"\xff\"":                 "\uFFFD",
		`5`:                        "",
		`null`:                     "",
	} {
		if got := unquote([]byte(raw)); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

// The reader of addresses is held against net/netip.
func TestAddresses(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	list := []string{"::", "::1", "1::", "1::2", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2", "1::2::3", ":::", ":1", "1:",
		"::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "12345::", "g::", "1.2.3.4", "01.2.3.4", "256.1.1.1", "1.2.3", "1.2.3.4.5", "1..2.3", "", ".", "::1.2.3.4:5", "1:2:3:4:5:6:7:8::"}
	for range 20000 {
		b := make([]byte, random.IntN(20))
		for i := range b {
			b[i] = "01af:::.."[random.IntN(9)]
		}
		list = append(list, string(b))
	}
	for _, s := range list {
		addr, err := netip.ParseAddr(s)
		if got, want := isIPv4([]byte(s)), err == nil && addr.Is4(); got != want {
			t.Errorf("IPv4 %q: %t, want %t", s, got, want)
		}
		if got, want := isIPv6([]byte(s)), err == nil && addr.Is6(); got != want {
			t.Errorf("IPv6 %q: %t, want %t", s, got, want)
		}
	}
	for s, want := range map[string]bool{
		"a": true, "example.com": true, "6ffdfda8-50bf-43cb-baba-1d9507876fe7.local": true, "1.2.3": false, "a.5": false, "a..b": false, "-a": false, "a-": false,
		"a_b": false, "a.": false, strings.Repeat("a", 64): false, strings.Repeat("a.", 127) + "a": false, "fe80::1%eth0": false,
	} {
		if got := isHostname([]byte(s)); got != want {
			t.Errorf("name %q: %t, want %t", s, got, want)
		}
	}
}
