package mux

import "errors"

var (
	// ErrSlowPeer ends a session whose other side takes less than is sent to
	// it: the queue overflowed, or a write of queued bytes took too long.
	ErrSlowPeer = errors.New("peer is too slow")
	// ErrPaused is returned by Run after Pause. The session goes on.
	ErrPaused = errors.New("reading is paused")
	// ErrMalformed ends a session whose other side sent a varint that does not
	// fit 64 bits.
	ErrMalformed = errors.New("malformed frame")
	// ErrFrameTooLarge ends a session whose other side announced a frame above
	// Config.MaxFrameBytes. Send returns it, and ends nothing, for a message
	// that could never fit the queue.
	ErrFrameTooLarge = errors.New("frame too large")
	// ErrNameTooLong ends a session whose other side opened a channel with a
	// name above Config.MaxNameBytes. Session.Channel returns it too.
	ErrNameTooLong = errors.New("channel name too long")
	// ErrTooManyChannels is returned by Session.Channel above Config.MaxChannels.
	ErrTooManyChannels = errors.New("too many channels")
	// ErrNameInUse is returned by Session.Channel for a name that it has
	// returned before and that is not over yet.
	ErrNameInUse = errors.New("channel name in use")
	// ErrChannelEnded is returned for what is sent on a channel after its End,
	// or after the other side refused to take more of it.
	ErrChannelEnded = errors.New("channel ended")
)
