package mux

import (
	"errors"
	"fmt"
	"strconv"
)

// Receiver takes what the other side sends on a channel. The session's read
// loop calls it, one call at a time, in the order of the stream and with no
// lock held.
type Receiver interface {
	// Receive takes a piece of payload. Frame boundaries mean nothing, and p is
	// valid only during the call. Receive may block, which stops everything the
	// session receives. An error ends the session with it.
	Receive(p []byte) error
	// End says that the other side's half is over: it ended or destroyed it, or
	// reused its id. It is called at most once, and not when the session ends.
	End()
}

// errEnded stops the decoder after the session has ended; why is known already.
var errEnded = errors.New("session ended")

// inbound is the session as the decoder sees it.
type inbound Session

func (in *inbound) Frame(h Header) error {
	s := (*Session)(in)
	s.target = nil
	if h.Type == TypeOpen {
		if h.Len > s.cfg.MaxNameBytes {
			return fmt.Errorf("open of a name of %d bytes, limit %d: %w", h.Len, s.cfg.MaxNameBytes, ErrNameTooLong)
		}
		return nil // the name follows
	}
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return errEnded
	}
	var ended *Channel
	switch h.Type {
	case TypeData:
		s.target = s.incoming(h.ID)
	case TypeEnd, TypeDestroy:
		if ended = s.incoming(h.ID); ended != nil {
			s.inOver(ended)
		}
	case TypeReceiverEnd, TypeReceiverDestroy:
		if c := s.outgoing(h.ID); c != nil {
			c.outOver()
		}
	}
	s.mu.Unlock()
	ended.notifyEnd()
	return nil
}

func (in *inbound) Payload(piece []byte, last bool) error {
	s := (*Session)(in)
	if s.decoder.Header().Type == TypeOpen {
		return s.opened(piece, last)
	}
	if c := s.target; c != nil && len(piece) > 0 && c.receiver != nil && !c.deaf.Load() {
		return c.receiver.Receive(piece)
	}
	return nil
}

// opened gathers the name of an open frame, whose length Frame has checked, and
// opens the channel. An id that is in use passes on to the new channel.
func (s *Session) opened(piece []byte, last bool) error {
	if !last {
		s.name = append(s.name, piece...)
		return nil
	}
	name := piece
	if s.name != nil {
		name = append(s.name, piece...)
		s.name = nil
	}
	id := s.decoder.Header().ID
	var decimal [20]byte
	if len(name) == 0 {
		name = strconv.AppendUint(decimal[:0], id, 10)
	}
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return errEnded
	}
	replaced := s.incoming(id)
	if replaced != nil {
		s.inOver(replaced)
	}
	s.bind(id, name)
	s.mu.Unlock()
	replaced.notifyEnd()
	return nil
}
