package webrtc

import (
	"errors"
	"strings"
	"testing"
)

func TestRemoteMessageSize(t *testing.T) {
	for line, want := range map[string]int{
		"":                                        65536, // the line is missing
		"a=max-message-size:262144":               262144,
		"a=max-message-size:16384":                16384,
		"a=max-message-size:1024":                 1024,
		"a=max-message-size:0":                    262144, // any size
		"a=max-message-size:1073741823":           262144,
		"a=max-message-size:1023":                 -1,
		"a=max-message-size:-1":                   -1,
		"a=max-message-size:":                     -1,
		"a=max-message-size:18446744073709551616": -1,
	} {
		for _, end := range []string{"\r\n", "\n", ""} {
			got, err := remoteMessageSize("v=0" + "\r\n" + line + end)
			if want < 0 {
				if !errors.Is(err, ErrSignal) {
					t.Errorf("%q: got %d and %v, want ErrSignal", line, got, err)
				}
			} else if got != want || err != nil {
				t.Errorf("%q: got %d and %v, want %d", line, got, err, want)
			}
		}
	}
}

func TestSDPMid(t *testing.T) {
	for sdp, want := range map[string]string{
		"v=0\r\nm=application 9\r\na=mid:0\r\n":    "0",
		"v=0\r\nm=application 9\r\na=mid:data\r\n": "data",
		"v=0\r\nm=application 9\r\n":               "0",
	} {
		if got := sdpMid(sdp); got != want {
			t.Errorf("%q: mid is %q, want %q", sdp, got, want)
		}
	}
}

func FuzzSignal(f *testing.F) {
	f.Add(`{"type":"offer","sdp":"v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=max-message-size:262144\r\n"}`)
	f.Add(`{"candidate":{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host","sdpMLineIndex":0,"sdpMid":"0"}}`)
	f.Add(`{"candidate":null}`)
	f.Fuzz(func(t *testing.T, raw string) {
		remote, line, err := decodeSignal([]byte(raw))
		if err != nil {
			if !errors.Is(err, ErrSignal) {
				t.Errorf("error is %v", err)
			}
			return
		}
		if remote.SDP != "" && line != "" || len(line) > maxCandidateBytes {
			t.Errorf("decoded %v and %q", remote, line)
		}
		if checkSDP(remote.SDP) == nil && !strings.Contains(remote.SDP, "m=application ") {
			t.Errorf("accepted %q", remote.SDP)
		}
		if size, err := remoteMessageSize(remote.SDP); err == nil && (size < minRemoteMessage || size > MaxMessageReceived) {
			t.Errorf("message size is %d", size)
		}
	})
}
