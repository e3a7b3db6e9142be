package webrtc

import "errors"

var (
	// ErrNoPath says that ICE or DTLS found no way to the other node.
	ErrNoPath = errors.New("no path to the other node")

	// ErrNoTURN says that Config.RelayOnly is set and no TURN server is known.
	ErrNoTURN = errors.New("relay only, but no TURN server is known")

	// ErrLost says that the path to the other node stopped working: nothing has
	// been heard on it for about 30 seconds.
	ErrLost = errors.New("connection lost")

	// ErrSignal says that the other node signalled something that makes no
	// sense, or too much.
	ErrSignal = errors.New("bad signal")

	// ErrChannel says that the other node opened a data channel that is not the
	// one, ordered and reliable, that both agreed on.
	ErrChannel = errors.New("unexpected data channel")

	// ErrMessageTooLarge says that the other node sent a message of more than
	// [MaxMessageReceived] bytes.
	ErrMessageTooLarge = errors.New("message too large")
)
