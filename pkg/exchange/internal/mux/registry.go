package mux

import (
	"cmp"
	"fmt"
	"net"
	"slices"
)

// fewChannels is how many channels are searched without a map: a session that
// relays nothing at the moment has two.
const fewChannels = 8

// channels are the channels of a session that are not over.
type channels struct {
	byID   []*Channel // by our id, ascending
	nextID uint64

	// Nil while there have been few channels.
	byName map[string]*Channel
	byPeer map[uint64]*Channel // by the id of the other side's half, while that is open
}

// Channel registers a channel. From now on the other side may open its half,
// which goes to r; without r it is discarded. Ours takes the next id, from 0
// upward, never used again, and is opened by the first Send or Write. The name
// is free again when both halves are over, or after Channel.Close.
//
// A half that the other side opened before it was expected is lost, as it is
// with the npm package.
//
// The error is ErrTooManyChannels, ErrNameTooLong, ErrNameInUse, or
// net.ErrClosed if the session has ended.
func (s *Session) Channel(name string, r Receiver) (*Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch {
	case s.err != nil:
		err = net.ErrClosed
	case len(name) > s.cfg.MaxNameBytes:
		err = ErrNameTooLong
	case s.named([]byte(name)) != nil:
		err = ErrNameInUse
	case s.cfg.MaxChannels >= 0 && len(s.byID) >= s.cfg.MaxChannels:
		err = ErrTooManyChannels
	}
	if err != nil {
		return nil, fmt.Errorf("channel %.40q: %w", name, err)
	}
	c := &Channel{session: s, name: name, receiver: r, id: s.nextID}
	s.nextID++
	s.register(c)
	return c, nil
}

func (r *channels) register(c *Channel) {
	r.byID = append(r.byID, c)
	switch {
	case r.byName != nil:
		r.byName[c.name] = c
	case len(r.byID) > fewChannels:
		r.byName = make(map[string]*Channel)
		r.byPeer = make(map[uint64]*Channel)
		for _, c := range r.byID {
			r.byName[c.name] = c
			if c.in == opened {
				r.byPeer[c.peerID] = c
			}
		}
	}
}

// named finds a channel by its name.
func (r *channels) named(name []byte) *Channel {
	if r.byName != nil {
		return r.byName[string(name)]
	}
	for _, c := range r.byID {
		if c.name == string(name) {
			return c
		}
	}
	return nil
}

// incoming finds the channel whose incoming half has the other side's id.
func (r *channels) incoming(id uint64) *Channel {
	if r.byPeer != nil {
		return r.byPeer[id]
	}
	for _, c := range r.byID {
		if c.in == opened && c.peerID == id {
			return c
		}
	}
	return nil
}

// outgoing finds the channel whose outgoing half has our id.
func (r *channels) outgoing(id uint64) *Channel {
	if i, ok := r.index(id); ok {
		return r.byID[i]
	}
	return nil
}

func (r *channels) index(id uint64) (int, bool) {
	return slices.BinarySearchFunc(r.byID, id, func(c *Channel, id uint64) int { return cmp.Compare(c.id, id) })
}

// bind makes what the other side opened the incoming half of the channel that
// waits for its name, if one does.
func (r *channels) bind(id uint64, name []byte) {
	c := r.named(name)
	if c == nil || c.in != expected {
		return
	}
	c.in, c.peerID = opened, id
	if r.byPeer != nil {
		r.byPeer[id] = c
	}
}

// inOver ends the incoming half of c.
func (r *channels) inOver(c *Channel) {
	if c.in == opened && r.byPeer != nil {
		delete(r.byPeer, c.peerID)
	}
	c.in = over
	r.forgetIfOver(c)
}

// forgetIfOver removes c once both of its halves are over.
func (r *channels) forgetIfOver(c *Channel) {
	if c.in != over || c.out != over {
		return
	}
	if i, ok := r.index(c.id); ok {
		r.byID = slices.Delete(r.byID, i, i+1)
		delete(r.byName, c.name)
	}
}
