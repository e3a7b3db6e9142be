package exchange

import (
	"math/bits"
	"sync"
)

// receiveBuffer is a byte queue that holds no memory while it is empty, grows by
// doubling, and is bounded by whoever fills it.
type receiveBuffer struct {
	ring  []byte // length a power of two, from ringPools
	start int    // index of the first byte
	n     int    // bytes held
}

const minRing = 4 << 10

// ringPools has one pool for each power of two.
var ringPools [64]sync.Pool

func newRing(size int) []byte {
	class := bits.Len(uint(max(size, minRing) - 1))
	if ring, ok := ringPools[class].Get().(*[]byte); ok {
		return *ring
	}
	return make([]byte, 1<<class)
}

func freeRing(ring []byte) { ringPools[bits.Len(uint(len(ring)-1))].Put(&ring) }

func (b *receiveBuffer) len() int { return b.n }

// write appends all of p.
func (b *receiveBuffer) write(p []byte) {
	if b.n+len(p) > len(b.ring) {
		b.grow(b.n + len(p))
	}
	end := (b.start + b.n) & (len(b.ring) - 1)
	copied := copy(b.ring[end:], p)
	copy(b.ring, p[copied:])
	b.n += len(p)
}

func (b *receiveBuffer) grow(size int) {
	ring := newRing(size)
	n := b.peek(ring)
	b.drop()
	b.ring, b.n = ring, n
}

// peek copies from the front without taking it away.
func (b *receiveBuffer) peek(p []byte) int {
	p = p[:min(len(p), b.n)]
	if len(p) == 0 {
		return 0
	}
	copied := copy(p, b.ring[b.start:])
	copy(p[copied:], b.ring)
	return len(p)
}

// read takes from the front.
func (b *receiveBuffer) read(p []byte) int {
	n := b.peek(p)
	b.n -= n
	if b.n == 0 {
		b.drop()
	} else {
		b.start = (b.start + n) & (len(b.ring) - 1)
	}
	return n
}

// drop empties the buffer and gives its memory back.
func (b *receiveBuffer) drop() {
	if b.ring != nil {
		freeRing(b.ring)
	}
	*b = receiveBuffer{}
}
