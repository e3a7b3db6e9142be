package webrtc

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// sdpLines yields the lines of a session description without their ends, CRLF
// or LF (RFC 8866 section 5).
func sdpLines(sdp string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(sdp) {
			if !yield(strings.TrimRight(line, "\r\n")) {
				return
			}
		}
	}
}

// checkSDP rejects descriptions of anything but one data channel section. pion
// would set up audio and video for whoever asks.
func checkSDP(sdp string) error {
	media := 0
	for line := range sdpLines(sdp) {
		if !strings.HasPrefix(line, "m=") {
			continue
		}
		if media++; media > 1 {
			return fmt.Errorf("%w: description of more than one medium", ErrSignal)
		}
		if !strings.HasPrefix(line, "m=application ") || !strings.HasSuffix(line, " webrtc-datachannel") {
			return fmt.Errorf("%w: description of something else than a data channel", ErrSignal)
		}
	}
	if media == 0 {
		return fmt.Errorf("%w: description without a data channel", ErrSignal)
	}
	return nil
}

// announceMessageSize adds our a=max-message-size to a description made by
// pion, which leaves it out. Without it the other node would take 65536.
func announceMessageSize(sdp string) string {
	return strings.TrimSuffix(sdp, "\r\n") + "\r\na=max-message-size:" + strconv.Itoa(MaxMessageReceived) + "\r\n"
}

// remoteMessageSize is how large a message the other node takes, according to
// its description: RFC 8841 section 6, where 0 means any size.
func remoteMessageSize(sdp string) (int, error) {
	for line := range sdpLines(sdp) {
		value, ok := strings.CutPrefix(line, "a=max-message-size:")
		if !ok {
			continue
		}
		size, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		switch {
		case err != nil:
			return 0, fmt.Errorf("%w: max-message-size is %.20q", ErrSignal, value)
		case size == 0:
			return MaxMessageReceived, nil
		case size < minRemoteMessage:
			return 0, fmt.Errorf("%w: max-message-size is %d, want at least %d", ErrSignal, size, minRemoteMessage)
		}
		return int(min(size, MaxMessageReceived)), nil
	}
	return defaultRemoteMessage, nil
}

// sdpMid returns the identification of the one media section: "0" with what
// current clients offer, something else with older browsers.
func sdpMid(sdp string) string {
	for line := range sdpLines(sdp) {
		if mid, ok := strings.CutPrefix(line, "a=mid:"); ok {
			return mid
		}
	}
	return "0"
}
