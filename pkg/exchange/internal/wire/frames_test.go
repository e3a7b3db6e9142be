package wire

import "encoding/binary"

// stream builds one side of a connection inside a relay.
type stream []byte

func newStream() *stream {
	s := stream(MagicV1)
	return &s
}

func (s *stream) frame(id uint64, typ uint8, payload string) *stream {
	*s = append(appendFrameHeader(*s, id, typ, uint64(len(payload))), payload...)
	return s
}

// control appends lines to the channel pxp, id 0, one frame each.
func (s *stream) control(lines ...string) *stream {
	for _, line := range lines {
		s.frame(0, frameData, line+"\n")
	}
	return s
}

// hello appends what every node begins with.
func (s *stream) hello() *stream { return s.frame(0, frameOpen, "pxp").control(testHelloV1) }

const testHelloV1 = `["hello","0",[1,{"pxp":true,"relay":true,"webrtc":true},["net"]]]`

func upgrade(nonce, signal string) string {
	return `["upgrade",` + nonce + `,{"transport":"webrtc","signal":` + signal + `}]`
}

// A parsedFrame is a frame read by other means than the guard's.
type parsedFrame struct {
	id      uint64
	typ     uint8
	payload string
}

// parseFrames reads a stream after its magic; ok is false if a frame is not whole.
func parseFrames(b []byte) (frames []parsedFrame, ok bool) {
	for len(b) > 0 {
		header, n := binary.Uvarint(b)
		if n <= 0 {
			return frames, false
		}
		length, m := binary.Uvarint(b[n:])
		if m <= 0 || uint64(len(b)-n-m) < length {
			return frames, false
		}
		b = b[n+m:]
		frames = append(frames, parsedFrame{header >> 3, uint8(header & 7), string(b[:length])})
		b = b[length:]
	}
	return frames, true
}
