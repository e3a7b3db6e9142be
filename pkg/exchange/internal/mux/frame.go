package mux

import "encoding/binary"

// Type is the kind of a frame, the low three bits of its header. Even types
// speak of a channel that the sender of the frame opened, odd ones of a channel
// that its receiver opened (index.js of npm multiplex 6.7).
type Type uint8

// The types in the words of multiplex. Type 7 has no meaning and is ignored.
const (
	TypeOpen            Type = 0 // payload: the name, empty for the decimal id
	TypeReceiverData    Type = 1 // from the side that did not open the channel
	TypeData            Type = 2 // from the side that opened it
	TypeReceiverEnd     Type = 3
	TypeEnd             Type = 4
	TypeReceiverDestroy Type = 5 // payload: nothing, or the text of an error
	TypeDestroy         Type = 6 // payload: nothing, or the text of an error
)

// Header is what comes before a frame's payload.
type Header struct {
	ID   uint64
	Type Type
	Len  int // bytes of payload that follow
}

// maxHeaderBytes is the longest encoding of a header: two varints of 64 bits.
const maxHeaderBytes = 2 * binary.MaxVarintLen64

// AppendHeader appends the encoding of h to dst.
func AppendHeader(dst []byte, h Header) []byte {
	dst = binary.AppendUvarint(dst, h.ID<<3|uint64(h.Type))
	return binary.AppendUvarint(dst, uint64(h.Len))
}

// appendFrame appends a whole frame to dst.
func appendFrame[P string | []byte](dst []byte, id uint64, t Type, payload P) []byte {
	dst = AppendHeader(dst, Header{ID: id, Type: t, Len: len(payload)})
	return append(dst, payload...)
}
