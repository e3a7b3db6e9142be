package mux

import "time"

// Config bounds what a session accepts and holds. The zero value of a field
// means its default.
type Config struct {
	// MaxNameBytes is the length of a channel name. Default 256.
	MaxNameBytes int
	// MaxFrameBytes is the payload length that a frame of the other side may
	// announce. The payload is passed on as it arrives and never held, so the
	// limit guards against nonsense rather than memory. Default 64 MiB.
	MaxFrameBytes int
	// MaxChannels is how many channels may exist at a time. Default 128,
	// negative means unlimited.
	MaxChannels int
	// MaxQueueBytes is how much may wait to be written, application data
	// aside. Above it the session ends with ErrSlowPeer. Default 256 KiB,
	// negative means unlimited.
	MaxQueueBytes int
	// WriteTimeout is how long queued bytes may wait without any write being
	// completed before the session ends with ErrSlowPeer. Default 30 s,
	// negative means for ever.
	WriteTimeout time.Duration
}

const (
	defaultMaxNameBytes  = 256
	defaultMaxFrameBytes = 64 << 20
	defaultMaxChannels   = 128
	defaultMaxQueueBytes = 256 << 10
	defaultWriteTimeout  = 30 * time.Second
)

func (c Config) withDefaults() Config {
	if c.MaxNameBytes <= 0 {
		c.MaxNameBytes = defaultMaxNameBytes
	}
	if c.MaxFrameBytes <= 0 {
		c.MaxFrameBytes = defaultMaxFrameBytes
	}
	if c.MaxChannels == 0 {
		c.MaxChannels = defaultMaxChannels
	}
	if c.MaxQueueBytes == 0 {
		c.MaxQueueBytes = defaultMaxQueueBytes
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = defaultWriteTimeout
	}
	return c
}
