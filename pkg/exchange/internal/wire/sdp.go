package wire

import (
	"bytes"
	"math"
)

// Bounds of a session description.
const (
	maxMid           = 32   // Bytes of a=mid.
	maxSDPLine       = 1100 // Bytes of a line.
	maxSDPCandidates = 128
	maxFingerprints  = 8
)

// mid is the name of the one media section. It is an array so that a relay
// remembers it at no cost.
type mid struct {
	name [maxMid]byte
	n    uint8
}

func (m *mid) set(b []byte)  { m.n = uint8(copy(m.name[:], b)) }
func (m *mid) bytes() []byte { return m.name[:m.n] }

// description is what was learned from reading an SDP.
type description struct {
	answer bool

	mid     mid
	bundled bool // a=group:BUNDLE has the section.

	// Progress of reading.
	stage        sdpStage
	legacy       bool // The m= line has the SCTP port, and a=sctpmap explains it.
	connection   bool // A c= line was there.
	fingerprints int
	candidates   int
	setup        bool
	once         [2]struct{ ufrag, pwd, setup bool } // Session, media.
	group        []byte                              // Value of a=group:BUNDLE.
}

// sdpStage is what may come next. Lines of a description have a fixed order (RFC
// 8866 section 5), and libwebrtc refuses any other.
type sdpStage uint8

const (
	expectVersion sdpStage = iota
	expectOrigin
	expectName
	expectConnection
	expectBandwidth
	expectTiming
	expectAttribute
	expectMedia // In the media section.
)

// appendSDP appends sdp as the inside of a JSON string and reports whether it
// describes exactly what the published packages negotiate, one data channel
// transport, in lines that libwebrtc and Firefox both accept. Anything else makes
// setRemoteDescription fail, and then simple-peer destroys itself and a candidate
// drops its connection to the seed. Lines that mean nothing for a data channel
// but that a browser reads all the same are left out; lines that no browser
// knows are kept. On false, what was appended is of no use.
func (d *description) appendSDP(dst, sdp []byte) ([]byte, bool) {
	for len(sdp) > 0 {
		end := bytes.IndexByte(sdp, '\n')
		if end < 0 {
			return dst, false // libwebrtc does not see a last line without its end.
		}
		line := sdp[:end]
		sdp = sdp[end+1:]
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if len(line) < 3 || len(line) > maxSDPLine || line[1] != '=' || !all(line, isPrintable) {
			return dst, false
		}
		if line[2] == ' ' && line[0] != 's' {
			return dst, false
		}
		switch d.line(line[0], line[2:]) {
		case keepLine:
			dst = appendEscaped(dst, line)
			dst = append(dst, `\r\n`...)
		case badLine:
			return dst, false
		}
	}
	return dst, d.complete()
}

// complete reports whether everything that must be there was there.
func (d *description) complete() bool {
	ice := d.once[0].ufrag && d.once[0].pwd || d.once[1].ufrag && d.once[1].pwd
	if d.stage != expectMedia || !ice || !d.connection || d.fingerprints == 0 || !d.setup || d.mid.n == 0 {
		return false
	}
	if d.group != nil {
		d.bundled = bytes.Equal(d.group, d.mid.bytes())
		return d.bundled
	}
	return true
}

// verdict is what becomes of a line.
type verdict uint8

const (
	badLine verdict = iota
	keepLine
	dropLine
)

func keepIf(ok bool) verdict {
	if ok {
		return keepLine
	}
	return badLine
}

func (d *description) line(typ byte, value []byte) verdict {
	switch typ {
	case 'v':
		return d.step(expectVersion, expectOrigin, string(value) == "0")
	case 'o':
		return d.step(expectOrigin, expectName, validOrigin(value))
	case 's':
		return d.step(expectName, expectConnection, true)
	case 'c':
		ok := validConnection(value)
		if d.stage == expectMedia {
			d.connection = true
			return keepIf(ok)
		}
		d.connection = true
		return d.step(expectConnection, expectBandwidth, ok)
	case 'b':
		if d.stage == expectConnection {
			d.stage = expectBandwidth
		}
		return keepIf((d.stage == expectBandwidth || d.stage == expectMedia) && validBandwidth(value))
	case 't':
		if d.stage < expectConnection || d.stage > expectTiming {
			return badLine
		}
		d.stage = expectTiming
		f := words{rest: value}
		start, stop := f.next(), f.next()
		return keepIf(isUint(start, math.MaxUint64) && isUint(stop, math.MaxUint64) && f.over)
	case 'm':
		if d.stage != expectTiming && d.stage != expectAttribute {
			return badLine
		}
		d.stage = expectMedia
		return keepIf(d.validMedia(value))
	case 'a':
		if d.stage == expectTiming {
			d.stage = expectAttribute
		}
		if d.stage < expectAttribute {
			return badLine
		}
		name, value, hasValue := bytes.Cut(value, []byte{':'})
		if !hasValue {
			value = nil
		}
		if !isToken(name) {
			return badLine
		}
		return d.attribute(name, value)
	}
	return badLine
}

func (d *description) step(from, to sdpStage, ok bool) verdict {
	if d.stage != from {
		return badLine
	}
	d.stage = to
	return keepIf(ok)
}

// attribute checks an a= line. value is nil if there is no colon.
func (d *description) attribute(name, value []byte) verdict {
	inMedia := d.stage == expectMedia
	level := &d.once[0]
	if inMedia {
		level = &d.once[1]
	}
	switch string(name) {
	case "ice-ufrag":
		ok := !level.ufrag && isICECredential(value, 4)
		level.ufrag = true
		return keepIf(ok)
	case "ice-pwd":
		ok := !level.pwd && isICECredential(value, 22)
		level.pwd = true
		return keepIf(ok)
	case "fingerprint":
		if !validFingerprint(value) {
			return badLine
		}
		if d.fingerprints++; d.fingerprints > maxFingerprints {
			return badLine
		}
		if !inMedia && d.fingerprints > 1 {
			return dropLine // libwebrtc takes no second one here, and one is enough.
		}
		return keepLine
	case "setup":
		ok := !level.setup && d.validSetup(value)
		level.setup, d.setup = true, true
		return keepIf(ok)
	case "candidate":
		d.candidates++
		return keepIf(inMedia && d.candidates <= maxSDPCandidates && validCandidateValue(value))
	case "mid":
		if !inMedia || d.mid.n != 0 || !isToken(value) || len(value) > maxMid {
			return badLine
		}
		d.mid.set(value)
		return keepLine
	case "group":
		return d.setGroup(value)
	case "sctp-port":
		if d.legacy {
			return dropLine // libwebrtc takes one or the other.
		}
		return keepIf(inMedia && isUint(value, math.MaxUint16) && string(value) != "0")
	case "max-message-size":
		return keepIf(inMedia && isUint(value, math.MaxInt32))
	case "sctpmap":
		if !d.legacy {
			return dropLine
		}
		return keepIf(inMedia && validSctpmap(value))
	case "ice-options", "msid-semantic":
		return keepIf(len(bytes.TrimLeft(value, " ")) > 0)
	case "ice-pacing":
		return keepIf(isUint(value, math.MaxUint32))
	case "ice-lite", "extmap-allow-mixed", "end-of-candidates", "sendrecv", "sendonly", "recvonly", "inactive":
		return keepIf(value == nil)
	case "bundle-only", "cert", "crypto", "dtls-message", "extmap", "fmtp", "framerate", "ice-mismatch",
		"identity", "imageattr", "key-mgmt", "label", "maxptime", "msid", "ptime", "remote-candidates", "rid",
		"rtcp", "rtcp-fb", "rtcp-mux", "rtcp-mux-only", "rtcp-rsize", "rtpmap", "simulcast", "ssrc", "ssrc-group",
		"x-google-flag":
		return dropLine
	}
	if readAnyway(name) {
		return dropLine
	}
	return keepLine
}

// readAnyway reports whether a browser could take name for a longer or differently
// written form of an attribute that it reads: Firefox ignores case, and libwebrtc
// long compared the beginning of the line only.
func readAnyway(name []byte) bool {
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			return true
		}
	}
	for _, known := range readAttributes {
		if len(name) >= len(known) && string(name[:len(known)]) == known {
			return true
		}
	}
	return false
}

var readAttributes = [...]string{
	"bundle-only", "candidate", "crypto", "end-of-candidates", "extmap", "fingerprint", "fmtp", "group", "ice-lite",
	"ice-options", "ice-pacing", "ice-pwd", "ice-ufrag", "inactive", "max-message-size", "mid", "msid", "recvonly",
	"remote-candidates", "rid", "rtcp", "rtpmap", "sctp-port", "sctpmap", "sendonly", "sendrecv", "setup", "simulcast",
	"ssrc", "x-google-flag",
}

// validSetup holds an offer to actpass, as RFC 8842 section 5.3 does and
// libwebrtc insists on.
func (d *description) validSetup(value []byte) bool {
	switch string(value) {
	case "actpass":
		return !d.answer
	case "active", "passive":
		return d.answer
	}
	return false
}

// setGroup remembers the section named in a BUNDLE. Its mid comes later.
func (d *description) setGroup(value []byte) verdict {
	semantics, name, _ := bytes.Cut(value, []byte{' '})
	if d.stage == expectMedia || string(semantics) == "BUNDLE" && d.group != nil {
		return badLine
	}
	switch string(semantics) {
	case "BUNDLE":
		d.group = name
		return keepIf(isToken(name))
	case "LS":
		return keepIf(isToken(name))
	}
	return dropLine
}

// validMedia takes the data channel section as browsers write it today (RFC
// 8841) and as Chromium wrote it until 2019. Port 0 would be a section that is
// turned down.
func (d *description) validMedia(value []byte) bool {
	f := words{rest: value}
	media, port, proto, format := f.next(), f.next(), f.next(), f.next()
	if string(media) != "application" || !isUint(port, math.MaxUint16) || string(port) == "0" || !f.over {
		return false
	}
	switch string(proto) {
	case "UDP/DTLS/SCTP", "TCP/DTLS/SCTP":
		return string(format) == "webrtc-datachannel"
	case "DTLS/SCTP":
		if string(format) == "webrtc-datachannel" {
			return true
		}
		d.legacy = true
		return isUint(format, math.MaxUint16) && string(format) != "0"
	}
	return false
}
