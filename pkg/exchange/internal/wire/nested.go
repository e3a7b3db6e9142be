package wire

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Multiplex frame types (npm multiplex 6.7.0). Even types speak of a channel that
// the sender opened, odd ones of a channel that the receiver opened.
const (
	frameOpen            = 0
	frameData            = 2
	frameEndReceiver     = 3
	frameEndInitiator    = 4
	frameDestroyReceiver = 5
	frameDestroyInit     = 6
)

// Bounds of a connection inside a relay.
const (
	maxNestedName     = 256      // Bytes of a channel's name.
	maxNestedChannels = 16       // Channels opened by one side.
	maxNestedID       = 1023     // JavaScript fills a list up to the largest id.
	maxNestedFrame    = 64 << 20 // Bytes of a frame as it comes in.
	maxNestedData     = 64 << 10 // Bytes of a data frame as it goes out: JavaScript holds a frame whole.
	maxNestedRequests = 16       // Requests of one side that wait for their res.
)

// nested is the state of a generation 1 connection inside a relay (lib/peer.js of
// npm pxp 1.1.0). Each side's stream is read frame by frame, and what may pass is
// written as new frames: one for each control message, as JavaScript does.
//
// In it the two peers say hello and trade signals in upgrade. JavaScript may also
// send getpeers, since it counts the connection among its peers; the answer is
// emptied, because a relay inside this one could not be guarded.
type nested struct {
	sides    [2]nestedSide
	connects []string // Networks that a side asked to connect to: each at most once.
}

type nestedSide struct {
	magic int // Bytes of the magic that came.

	// The frame that is being read.
	inPayload bool
	varint    [binary.MaxVarintLen64]byte
	varintLen int
	hasHeader bool
	header    uint64
	remaining uint64         // Bytes of the payload to come.
	target    payloadTarget  // What becomes of the payload.
	channel   *nestedChannel // For payloadLine and payloadData.
	piece     uint64         // payloadData: bytes that the frame going out still lacks.
	name      []byte         // payloadName

	lines    Lines // Of the channel pxp.
	channels []nestedChannel
	hello    bool
	networks []string // As announced in hello.
	requests []nestedRequest
}

// nestedChannel is a channel that one side opened and the other knows of.
type nestedChannel struct {
	id       uint64
	name     string
	ended    bool // By the side that opened it.
	answered bool // By the other side, with type 3.
}

// nestedRequest is a request that was passed on and has no res yet.
type nestedRequest struct {
	command CommandV1
	nonce   string
}

type payloadTarget uint8

const (
	payloadSkip payloadTarget = iota
	payloadName
	payloadLine
	payloadData
)

const nestedControl = "pxp"

func newNested(maxLine int) *nested {
	n := new(nested)
	for i := range n.sides {
		n.sides[i].lines.Max = maxLine
	}
	return n
}

// heldBytes is how many bytes of memory a side has filled. What it can fill only
// with names and nonces, a few KiB, is left out.
func (s *nestedSide) heldBytes() int {
	n := s.lines.held()
	for _, network := range s.networks {
		n += len(network)
	}
	return n
}

// forwardNested forwards a piece of one side's connection.
func (g *Guard) forwardNested(side Side, dst, chunk []byte) ([]byte, error) {
	s := &g.nested.sides[side]
	if s.magic < len(MagicV1) {
		n := min(len(MagicV1)-s.magic, len(chunk))
		if string(chunk[:n]) != MagicV1[s.magic:s.magic+n] {
			return dst, fmt.Errorf("magic: %w", ErrMalformed)
		}
		s.magic += n
		chunk = chunk[n:]
		if s.magic < len(MagicV1) {
			return dst, nil
		}
		dst = append(dst, MagicV1...)
	}
	var err error
	for len(chunk) > 0 {
		if !s.inPayload {
			chunk, err = s.readHeader(chunk)
			if err == nil && s.inPayload {
				err = g.startFrame(side, s)
			}
		} else {
			n := int(min(s.remaining, uint64(len(chunk))))
			dst, err = g.forwardPayload(side, s, dst, chunk[:n])
			s.remaining -= uint64(n)
			chunk = chunk[n:]
		}
		if err == nil && s.inPayload && s.remaining == 0 {
			s.inPayload = false
			dst, err = g.endFrame(side, s, dst)
		}
		if err != nil {
			s.lines.release()
			return dst, err
		}
	}
	s.lines.settle()
	return dst, nil
}

// readHeader reads the two varints before a payload, and returns what follows in
// chunk. Once it has both, inPayload is set.
func (s *nestedSide) readHeader(chunk []byte) ([]byte, error) {
	for i, c := range chunk {
		if s.varintLen == len(s.varint) {
			return nil, fmt.Errorf("varint: %w", ErrMalformed)
		}
		s.varint[s.varintLen] = c
		s.varintLen++
		if c >= 0x80 {
			continue
		}
		v, n := binary.Uvarint(s.varint[:s.varintLen])
		if n <= 0 {
			return nil, fmt.Errorf("varint: %w", ErrMalformed)
		}
		s.varintLen = 0
		if !s.hasHeader {
			s.header, s.hasHeader = v, true
			continue
		}
		s.remaining, s.hasHeader, s.inPayload = v, false, true
		return chunk[i+1:], nil
	}
	return nil, nil
}

// startFrame decides what becomes of the payload of the frame whose header was read.
func (g *Guard) startFrame(side Side, s *nestedSide) error {
	s.target, s.channel = payloadSkip, nil
	if s.remaining > maxNestedFrame {
		return fmt.Errorf("frame of %d bytes: %w", s.remaining, ErrMalformed)
	}
	id := s.header >> 3
	if id > maxNestedID {
		return fmt.Errorf("channel %d: %w", id, ErrMalformed)
	}
	switch s.header & 7 {
	case frameOpen:
		if s.remaining > maxNestedName {
			return fmt.Errorf("channel name of %d bytes: %w", s.remaining, ErrMessageTooLarge)
		}
		s.target, s.name = payloadName, s.name[:0]
	case frameData:
		c := s.find(id)
		switch {
		case c == nil || c.ended:
		case c.name == nestedControl:
			s.target, s.channel = payloadLine, c
		default:
			s.target, s.channel, s.piece = payloadData, c, 0
		}
	}
	return nil
}

func (g *Guard) forwardPayload(side Side, s *nestedSide, dst, p []byte) ([]byte, error) {
	switch s.target {
	case payloadName:
		s.name = append(s.name, p...)
	case payloadLine:
		for len(p) > 0 {
			line, rest, err := s.lines.next(p)
			if err == nil && len(line) > 0 {
				dst, err = g.forwardLine(side, dst, line)
			}
			if err != nil {
				return dst, err
			}
			p = rest
		}
	case payloadData:
		return s.forwardData(dst, p), nil
	}
	return dst, nil
}

// forwardData passes application data on in frames that begin at fixed places of
// the incoming frame, whatever the chunks are.
func (s *nestedSide) forwardData(dst, p []byte) []byte {
	left := s.remaining
	for len(p) > 0 {
		if s.piece == 0 {
			s.piece = min(left, maxNestedData)
			dst = appendFrameHeader(dst, s.channel.id, frameData, s.piece)
		}
		n := min(s.piece, uint64(len(p)))
		dst = append(dst, p[:n]...)
		p = p[n:]
		s.piece -= n
		left -= n
	}
	return dst
}

// endFrame acts on a frame that is complete.
func (g *Guard) endFrame(side Side, s *nestedSide, dst []byte) ([]byte, error) {
	id := s.header >> 3
	switch s.header & 7 {
	case frameOpen:
		return g.openNested(side, s, dst, id)
	case frameEndInitiator, frameDestroyInit:
		c := s.find(id)
		if c == nil || c.ended {
			return dst, nil
		}
		c.ended = true
		if c.name == nestedControl {
			s.lines.release() // JavaScript would parse half a line.
		}
		return appendFrameHeader(dst, id, frameEndInitiator, 0), nil
	case frameEndReceiver, frameDestroyReceiver:
		c := g.nested.sides[1-side].find(id)
		if c == nil || c.answered {
			return dst, nil
		}
		c.answered = true
		return appendFrameHeader(dst, id, frameEndReceiver, 0), nil
	}
	return dst, nil
}

// openNested passes an open on if the other side expects the name, once. What it
// does not expect would fill up unread and block its connection.
func (g *Guard) openNested(side Side, s *nestedSide, dst []byte, id uint64) ([]byte, error) {
	if s.find(id) != nil {
		return dst, fmt.Errorf("channel %d opened again: %w", id, ErrMalformed)
	}
	name := string(s.name)
	network, isData := strings.CutPrefix(name, "data:")
	expected := name == nestedControl || isData && g.nested.connected(network)
	opened := slices.ContainsFunc(s.channels, func(c nestedChannel) bool { return c.name == name })
	if !expected || opened {
		return dst, nil
	}
	if len(s.channels) == maxNestedChannels {
		return dst, fmt.Errorf("more than %d channels: %w", maxNestedChannels, ErrMalformed)
	}
	s.channels = append(s.channels, nestedChannel{id: id, name: name})
	dst = appendFrameHeader(dst, id, frameOpen, uint64(len(name)))
	return append(dst, name...), nil
}

// connected reports whether either side asked to connect to network.
func (n *nested) connected(network string) bool {
	return slices.Contains(n.connects, network)
}

func (s *nestedSide) find(id uint64) *nestedChannel {
	for i := range s.channels {
		if s.channels[i].id == id {
			return &s.channels[i]
		}
	}
	return nil
}

func appendFrameHeader(dst []byte, id uint64, typ uint8, length uint64) []byte {
	dst = binary.AppendUvarint(dst, id<<3|uint64(typ))
	return binary.AppendUvarint(dst, length)
}

// insertFrameHeader puts a header before the payload that begins at dst[start].
func insertFrameHeader(dst []byte, start int, id uint64, typ uint8) []byte {
	var header [2 * binary.MaxVarintLen64]byte
	h := appendFrameHeader(header[:0], id, typ, uint64(len(dst)-start))
	return slices.Insert(dst, start, h...)
}
