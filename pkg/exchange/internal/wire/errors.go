package wire

import "errors"

// Errors of this package. All of them blame the node that sent the bytes.
var (
	// ErrInvalidJSON is returned for a line that JSON.parse would refuse, or that
	// nests deeper than 32 values.
	ErrInvalidJSON = errors.New("invalid JSON")

	// ErrInvalidMessage is returned for a known command whose fields have a type
	// that no published package sends.
	ErrInvalidMessage = errors.New("invalid message")

	// ErrMessageTooLarge is returned for a line, or a channel name in a relay,
	// that is longer than its limit.
	ErrMessageTooLarge = errors.New("message too large")

	// ErrInvalidSignal is returned for a WebRTC signal that a JavaScript node
	// would fail on, or that is not its sender's turn to send.
	ErrInvalidSignal = errors.New("invalid signal")

	// ErrTooManySignals is returned when one side of a relay sends more signals
	// than a negotiation can need.
	ErrTooManySignals = errors.New("too many signals")

	// ErrMalformed is returned for bytes in a generation 1 relay that are not a
	// multiplex stream a node of that generation could have sent.
	ErrMalformed = errors.New("malformed stream")
)
