package wire

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	testFingerprint = "D5:2A:3C:BC:58:00:08:CF:52:1F:F8:0F:23:FE:9A:76:C1:18:E1:F6:8C:96:74:94:29:27:48:A2:9F:0B:4E:CE"

	// testSDP has %setup where an offer and an answer differ.
	testSDP = "v=0\r\no=- 8920540155689470099 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n" +
		"a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" +
		"c=IN IP4 0.0.0.0\r\na=ice-ufrag:xg8z\r\na=ice-pwd:+a0cLtHkShuj2FV0waPPJRlQ\r\na=ice-options:trickle\r\n" +
		"a=fingerprint:sha-256 " + testFingerprint + "\r\na=setup:%setup\r\na=mid:0\r\na=sctp-port:5000\r\n" +
		"a=max-message-size:262144\r\n"

	testCandidate = `{"candidate":{"candidate":"candidate:559267639 1 udp 2122136831 ::1 35943 typ host generation 0 ` +
		`ufrag xg8z network-id 4","sdpMLineIndex":0,"sdpMid":"0"}}`
)

var (
	testOfferSDP  = strings.ReplaceAll(testSDP, "%setup", "actpass")
	testAnswerSDP = strings.ReplaceAll(testSDP, "%setup", "active")
	testOffer     = signalJSON("offer", testOfferSDP)
	testAnswer    = signalJSON("answer", testAnswerSDP)
)

func signalJSON(typ, sdp string) string {
	b := append([]byte(`{"type":"`+typ+`","sdp":`), appendQuoted(nil, sdp)...)
	return string(append(b, '}'))
}

func candidateJSON(candidate string) string {
	b := appendQuoted([]byte(`{"candidate":{"candidate":`), candidate)
	return string(append(b, `,"sdpMLineIndex":0,"sdpMid":"0"}}`...))
}

// The files hold what browsers and other WebRTC stacks say, one signal a line.
func TestGuardPassesEveryStack(t *testing.T) {
	files, err := filepath.Glob("testdata/signals/*.ndjson")
	if err != nil || len(files) == 0 {
		t.Fatalf("no signals: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			guard, side := NewGuardV0(0), FromAsker
			if bytes.HasPrefix(data, []byte(`{"type":"answer"`)) {
				side = FromCandidate
				if _, err := guard.Forward(FromAsker, nil, []byte(testOffer+"\n")); err != nil {
					t.Fatal(err)
				}
			}
			for line := range bytes.Lines(data) {
				if _, err := CheckSignal(line); err != nil {
					t.Errorf("%s%v", line, err)
				}
				out, err := guard.Forward(side, nil, line)
				if err != nil || !bytes.Equal(out, line) {
					t.Fatalf("%v\n got %swant %s", err, out, line)
				}
			}
		})
	}
}

func TestAppendSignal(t *testing.T) {
	for _, test := range []struct {
		name, in, want string
		kind           Kind
	}{
		{"offer", testOffer, testOffer, SignalOffer},
		{"answer", testAnswer, testAnswer, SignalAnswer},
		{"candidate", testCandidate, testCandidate, SignalCandidate},
		{
			"written by Go, fields in another order, fields more", `{ "sdp" :` + string(appendQuoted(nil, testOfferSDP)) + `, "type":"\u006fffer", "x":[{}]}`,
			testOffer, SignalOffer,
		},
		{"a field twice", `{"type":"answer",` + testOffer[1:], testOffer, SignalOffer},
		{
			"as pion writes it", `{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMid":"","sdpMLineIndex":0,"usernameFragment":null}}`,
			`{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMLineIndex":0,"sdpMid":""}}`, SignalCandidate,
		},
		{
			"an SDP line", `{"type":"candidate","candidate":{"candidate":"a=candidate:1 1 udp 1 ::1 9 typ host","sdpMid":"0"}}`,
			`{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMLineIndex":0,"sdpMid":"0"}}`, SignalCandidate,
		},
		{"end of candidates", `{"candidate":{"candidate":""}}`, "", SignalNothing},
		{"end of candidates with mid", `{"candidate":{"candidate":"","sdpMLineIndex":0,"sdpMid":"0"}}`, "", SignalNothing},
		{"null candidate", `{"candidate":null}`, "", SignalNothing},
		{"renegotiate", `{"renegotiate":true}`, "", SignalNothing},
		{"renegotiate with type", `{"type":"renegotiate","renegotiate":true}`, "", SignalNothing},
		{"transceiver", `{"type":"transceiverRequest","transceiverRequest":{"kind":"audio"}}`, "", SignalNothing},
		{"LF", signalJSON("offer", strings.ReplaceAll(testOfferSDP, "\r\n", "\n")), testOffer, SignalOffer},
		{"lines no data channel needs", signalJSON("offer", testOfferSDP+"a=extmap:x\r\na=rtcp-mux\r\na=msid:\r\na=Candidate:x\r\na=candidates\r\n"), testOffer, SignalOffer},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, kind, err := AppendSignal([]byte("x"), []byte(test.in))
			if err != nil || kind != test.kind || string(got) != "x"+test.want {
				t.Errorf("%v %v\n got %s\nwant x%s", kind, err, got, test.want)
			}
		})
	}
	t.Run("one fingerprint before the section", func(t *testing.T) {
		first := "t=0 0\r\na=fingerprint:sha-256 " + testFingerprint
		more := "\r\na=fingerprint:SHA-1 " + testFingerprint[:59]
		want := signalJSON("offer", strings.Replace(testOfferSDP, "t=0 0", first, 1))
		in := signalJSON("offer", strings.Replace(testOfferSDP, "t=0 0", first+more, 1))
		if got, _, err := AppendSignal(nil, []byte(in)); err != nil || string(got) != want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
	})
	t.Run("SCTP port of one form only", func(t *testing.T) {
		in := signalJSON("offer", testOfferSDP+"a=sctpmap:5000 webrtc-datachannel 256\r\n")
		if got, _, err := AppendSignal(nil, []byte(in)); err != nil || string(got) != testOffer {
			t.Errorf("%v: %s", err, got)
		}
		legacy := strings.NewReplacer("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000",
			"a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 256").Replace(testOfferSDP)
		want := signalJSON("offer", legacy)
		if got, _, err := AppendSignal(nil, []byte(signalJSON("offer", legacy+"a=sctp-port:5000\r\n"))); err != nil || string(got) != want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
	})
	t.Run("lines nobody knows are kept", func(t *testing.T) {
		want := signalJSON("offer", testOfferSDP+"a=sctp-init:AQAAHg\r\na=tls-id:abc3\r\na=x\r\n")
		if got, _, err := AppendSignal(nil, []byte(want)); err != nil || string(got) != want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
	})
}

func TestInvalidSignals(t *testing.T) {
	without := func(line string) string {
		return signalJSON("offer", strings.Replace(testOfferSDP, line+"\r\n", "", 1))
	}
	instead := func(line, by string) string { return signalJSON("offer", strings.Replace(testOfferSDP, line, by, 1)) }
	for name, in := range map[string]string{
		"null":                     `null`,
		"number":                   `5`,
		"string":                   `"offer"`,
		"array":                    `[{"candidate":1}]`,
		"empty":                    `{}`,
		"other fields":             `{"a":1,"type":"offer"}`,
		"sdp empty":                `{"type":"offer","sdp":""}`,
		"sdp null":                 `{"type":"offer","sdp":null}`,
		"sdp number":               `{"type":"offer","sdp":5}`,
		"sdp garbage":              `{"type":"offer","sdp":"garbage"}`,
		"no type":                  `{"sdp":` + string(appendQuoted(nil, testOfferSDP)) + `}`,
		"type pranswer":            signalJSON("pranswer", testAnswerSDP),
		"type rollback":            signalJSON("rollback", testAnswerSDP),
		"type number":              `{"type":1,"sdp":` + string(appendQuoted(nil, testOfferSDP)) + `}`,
		"sdp and candidate":        testOffer[:len(testOffer)-1] + "," + testCandidate[1:],
		"candidate true":           `{"candidate":true}`,
		"candidate string":         `{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMid":"0"}`,
		"candidate empty object":   `{"candidate":{}}`,
		"candidate null inside":    `{"candidate":{"candidate":null,"sdpMid":"0"}}`,
		"candidate without mid":    `{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host"}}`,
		"candidate mid null":       `{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMid":null,"sdpMLineIndex":null}}`,
		"candidate mid number":     `{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMid":0}}`,
		"candidate index string":   `{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMLineIndex":"0"}}`,
		"candidate index fraction": `{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMLineIndex":0.5}}`,
		"candidate index 1":        `{"candidate":{"candidate":"candidate:1 1 udp 1 ::1 9 typ host","sdpMLineIndex":1,"sdpMid":"0"}}`,

		"no version":                 without("v=0"),
		"no origin":                  without("o=- 8920540155689470099 2 IN IP4 127.0.0.1"),
		"no name":                    without("s=-"),
		"no timing":                  without("t=0 0"),
		"no media":                   without("m=application 9 UDP/DTLS/SCTP webrtc-datachannel"),
		"no connection":              without("c=IN IP4 0.0.0.0"),
		"no ufrag":                   without("a=ice-ufrag:xg8z"),
		"no pwd":                     without("a=ice-pwd:+a0cLtHkShuj2FV0waPPJRlQ"),
		"no fingerprint":             without("a=fingerprint:sha-256 " + testFingerprint),
		"no setup":                   without("a=setup:actpass"),
		"no mid":                     without("a=mid:0"),
		"version 1":                  instead("v=0", "v=1"),
		"origin short":               instead("o=- 8920540155689470099 2 IN IP4 127.0.0.1", "o=- 1 2 IN IP4"),
		"origin long":                instead("IP4 127.0.0.1", "IP4 127.0.0.1 x"),
		"origin number too large":    instead("8920540155689470099", "89205401556894700990"),
		"timing":                     instead("t=0 0", "t=0"),
		"order":                      instead("s=-\r\nt=0 0", "t=0 0\r\ns=-"),
		"space after equals":         instead("t=0 0", "t= 0 0"),
		"not a line":                 instead("t=0 0", "t=0 0\r\nnonsense"),
		"empty line":                 instead("t=0 0", "t=0 0\r\n"),
		"control character":          instead("s=-", "s=-\x01"),
		"not ASCII":                  instead("s=-", "s=é"),
		"CR inside":                  instead("s=-", "s=-\ra=x"),
		"last line without end":      signalJSON("offer", strings.TrimSuffix(testOfferSDP, "\r\n")),
		"two sections":               signalJSON("offer", testOfferSDP+"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"),
		"audio":                      instead("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=audio 9 UDP/TLS/RTP/SAVPF 111"),
		"other application":          instead("webrtc-datachannel", "chat"),
		"turned down":                instead("application 9", "application 0"),
		"port too large":             instead("application 9", "application 65536"),
		"connection a name":          instead("c=IN IP4 0.0.0.0", "c=IN IP4 example.com"),
		"connection wrong family":    instead("c=IN IP4 0.0.0.0", "c=IN IP6 0.0.0.0"),
		"connection multicast":       instead("c=IN IP4 0.0.0.0", "c=IN IP4 224.2.1.1/127"),
		"bandwidth":                  instead("c=IN IP4 0.0.0.0", "c=IN IP4 0.0.0.0\r\nb=AS:x"),
		"ufrag short":                instead("xg8z", "xg8"),
		"ufrag character":            instead("xg8z", "xg8\\"),
		"ufrag twice":                instead("a=ice-ufrag:xg8z", "a=ice-ufrag:xg8z\r\na=ice-ufrag:xg8z"),
		"pwd short":                  instead("a=ice-pwd:+a0c", "a=ice-pwd:"),
		"fingerprint algorithm":      instead("sha-256", "sha-257"),
		"fingerprint length":         instead("D5:2A:", "D5:"),
		"fingerprint lower case":     instead("D5:2A:", "d5:2A:"),
		"fingerprint separator":      instead("D5:2A:", "D5-2A:"),
		"setup of an answer":         instead("actpass", "active"),
		"setup unknown":              instead("actpass", "holdconn"),
		"sctp-port zero":             instead("a=sctp-port:5000", "a=sctp-port:0"),
		"sctp-port text":             instead("a=sctp-port:5000", "a=sctp-port:x"),
		"max-message-size overflows": instead("262144", "2147483648"),
		"max-message-size empty":     instead("a=max-message-size:262144", "a=max-message-size:"),
		"sctpmap":                    signalJSON("offer", strings.NewReplacer("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000", "a=sctp-port:5000", "a=sctpmap:x").Replace(testOfferSDP)),
		"bundle of another mid":      instead("BUNDLE 0", "BUNDLE 1"),
		"bundle of two":              instead("BUNDLE 0", "BUNDLE 0 1"),
		"bundle twice":               instead("a=group:BUNDLE 0", "a=group:BUNDLE 0\r\na=group:BUNDLE 0"),
		"mid twice":                  instead("a=mid:0", "a=mid:0\r\na=mid:0"),
		"candidate in session":       instead("t=0 0", "t=0 0\r\na=candidate:1 1 udp 1 ::1 9 typ host"),
		"candidate in section":       instead("a=mid:0", "a=mid:0\r\na=candidate:x"),
		"attribute name":             instead("a=mid:0", "a=mid:0\r\na=a b:c"),
		"attribute without name":     instead("a=mid:0", "a=mid:0\r\na=:c"),
		"answer with actpass":        signalJSON("answer", testOfferSDP),

		"candidate line end":          candidateJSON("candidate:1 1 udp 1 ::1 9 typ host\r\n"),
		"candidate prefix":            candidateJSON("1 1 udp 1 ::1 9 typ host"),
		"candidate short":             candidateJSON("candidate:1 1 udp 1 ::1 9 typ"),
		"candidate foundation":        candidateJSON("candidate:" + strings.Repeat("1", 33) + " 1 udp 1 ::1 9 typ host"),
		"candidate component":         candidateJSON("candidate:1 257 udp 1 ::1 9 typ host"),
		"candidate transport":         candidateJSON("candidate:1 1 sctp 1 ::1 9 typ host"),
		"candidate priority":          candidateJSON("candidate:1 1 udp 4294967296 ::1 9 typ host"),
		"candidate priority negative": candidateJSON("candidate:1 1 udp -1 ::1 9 typ host"),
		"candidate address":           candidateJSON("candidate:1 1 udp 1 1.2.3 9 typ host"),
		"candidate zone":              candidateJSON("candidate:1 1 udp 1 fe80::1%eth0 9 typ host"),
		"candidate port":              candidateJSON("candidate:1 1 udp 1 ::1 65536 typ host"),
		"candidate no typ":            candidateJSON("candidate:1 1 udp 1 ::1 9 type host"),
		"candidate typ":               candidateJSON("candidate:1 1 udp 1 ::1 9 typ local"),
		"candidate two spaces":        candidateJSON("candidate:1 1  udp 1 ::1 9 typ host"),
		"candidate half extension":    candidateJSON("candidate:1 1 udp 1 ::1 9 typ host generation"),
		"candidate generation":        candidateJSON("candidate:1 1 udp 1 ::1 9 typ host generation x"),
		"candidate network-id":        candidateJSON("candidate:1 1 udp 1 ::1 9 typ host network-id 65536"),
		"candidate rport":             candidateJSON("candidate:1 1 udp 1 ::1 9 typ srflx raddr ::1 rport x"),
		"candidate tcptype":           candidateJSON("candidate:1 1 tcp 1 ::1 9 typ host tcptype x"),
		"candidate too long":          candidateJSON("candidate:1 1 udp 1 ::1 9 typ host x " + strings.Repeat("y", maxCandidateBytes)),
	} {
		t.Run(name, func(t *testing.T) {
			if in == testOffer {
				t.Fatal("the case changes nothing")
			}
			if _, err := CheckSignal([]byte(in)); !errors.Is(err, ErrInvalidSignal) {
				t.Errorf("%s: %v", in, err)
			}
		})
	}
	if _, err := CheckSignal([]byte(`{"candidate"`)); !errors.Is(err, ErrInvalidJSON) {
		t.Error(err)
	}
}
