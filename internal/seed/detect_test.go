package seed

import (
	"net/http"
	"testing"
)

// TestDetectEveryFirstByte goes through all first bytes, followed by what a
// multiplex frame goes on with (the length of a name) and by another letter.
func TestDetectEveryFirstByte(t *testing.T) {
	for b := range 256 {
		first := byte(b)
		capital := first >= 'A' && first <= 'Z'
		alone, named, spelled := exchangeStream, exchangeStream, exchangeStream
		switch {
		case first == 0x16:
			alone, named, spelled = tlsRecord, tlsRecord, tlsRecord
		case first == 0: // a letter is no length of a name that the protocol has, and might be a type
			alone, named, spelled = undecided, undecided, undecided
		case first == '\r':
			alone, named, spelled = proxyHeader, proxyHeader, proxyHeader
		case capital:
			alone, spelled = undecided, httpRequest
		}
		for _, c := range []struct {
			head []byte
			want protocol
		}{{[]byte{first}, alone}, {[]byte{first, 3}, named}, {[]byte{first, 'E'}, spelled}} {
			if got := detect(c.head); got != c.want {
				t.Errorf("detect(%q) = %v, want %v", c.head, got, c.want)
			}
		}
	}
}

func TestDetectMethods(t *testing.T) {
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace, "PROPFIND",
	} {
		if got := detect([]byte(method + " / HTTP/1.1")[:headBytes]); got != httpRequest {
			t.Errorf("%s is taken for %v", method, got)
		}
	}
	if got := detect([]byte("#PXP#\x00\x03pxp")[:headBytes]); got != exchangeStream {
		t.Errorf("the magic of v1 is taken for %v", got)
	}
	// Channel 77, whose header takes two bytes, and channels 9 and 10, whose
	// header is a capital letter.
	for _, head := range []string{"\xe8\x04", "H\x03", "P\x03"} {
		if got := detect([]byte(head)); got != exchangeStream {
			t.Errorf("the multiplex frame %q is taken for %v", head, got)
		}
	}
}

func TestDetectProxyHeader(t *testing.T) {
	for _, header := range []string{"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", proxySignature + "!\x11"} {
		head := []byte(header)[:headBytes]
		if got := detect(head); got != proxyHeader {
			t.Errorf("%q is taken for %v", head, got)
		}
	}
	for _, begin := range []string{"P", "PR", "PRO"} {
		if got := detect([]byte(begin)); got != undecided {
			t.Errorf("%q is taken for %v, and more may follow", begin, got)
		}
	}
}

// stunRequest is the head of a request, of which nobody reads more here.
const stunRequest = "\x00\x01\x00\x00\x21\x12\xa4\x42"

// TestDetectSTUN has what begins with a zero byte: STUN requests, and streams that
// open channel 0, at every length that a read may return.
func TestDetectSTUN(t *testing.T) {
	for _, c := range []struct {
		name, text string
		settled    int // with how many bytes
		want       protocol
	}{
		{"Binding", stunRequest, 8, stunMessage},
		{"Allocate", "\x00\x03\x00\x08\x21\x12\xa4\x42", 8, stunMessage},
		{"Refresh", "\x00\x04\x00\x64\x21\x12\xa4\x42", 8, stunMessage},
		{"ChannelBind, the longest", "\x00\x09\x07\xfc\x21\x12\xa4\x42", 8, stunMessage},
		{"v0", "\x00\x03pxp\x02\x02{}", 3, exchangeStream},
		{"v0 with the other channel first", "\x00\x04data\x02\x01x", 3, exchangeStream},
		{"channel without a name", "\x00\x00\x02\x01", 2, exchangeStream},
		{"a name of the length of an indication's type", "\x00\x17" + "a name of so many bytes", 2, exchangeStream},
		{"names that begin with control characters", "\x00\x03\x01\x02\x03", 5, exchangeStream},
		{"all of the cookie but one bit", "\x00\x01\x00\x00\x21\x12\xa4\x43", 8, exchangeStream},
		{"STUN from before the cookie (RFC 3489)", "\x00\x01\x00\x00\x5a\x5a\x5a\x5a", 5, exchangeStream},
	} {
		for n := 1; n <= min(len(c.text), headBytes); n++ {
			want := undecided
			if n >= c.settled {
				want = c.want
			}
			if got := detect([]byte(c.text[:n])); got != want {
				t.Errorf("%s: the first %d bytes are taken for %v, want %v", c.name, n, got, want)
			}
		}
	}
}
