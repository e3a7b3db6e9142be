package turn

import (
	"net/netip"
	"sync"
)

const (
	// headroom is left in front of each received message, so that what goes before
	// it on its way to a client can be written there.
	headroom = dataOverhead
	// maxMessageBytes is the longest message that is relayed, jumbo frames included.
	// WebRTC stays below 1,500.
	maxMessageBytes = 9216
	// tailroom is for padding.
	tailroom    = 4
	bufferBytes = headroom + maxMessageBytes + tailroom

	// batchSize is how many messages are received by one system call. Whoever gets
	// fewer knows that there are no more.
	batchSize = 32
)

// packet is a received message: n bytes from headroom on in buf.
type packet struct {
	buf  []byte
	n    int
	from netip.AddrPort // IPv4-mapped addresses are unmapped
	long bool           // there was more of it
}

func (p *packet) payload() []byte { return p.buf[headroom : headroom+p.n] }

// batch is memory to receive messages into, and to send from.
type batch struct {
	packets [batchSize]packet
	n, next int // packets received, and how many of them have been handled
	frames  [batchSize][]byte
	sys     batchSys
}

func newBatch() *batch {
	b := &batch{}
	memory := make([]byte, batchSize*bufferBytes)
	for i := range b.packets {
		b.packets[i].buf = memory[i*bufferBytes : (i+1)*bufferBytes : (i+1)*bufferBytes]
	}
	b.sys.init(b)
	return b
}

// batches are for relays, which need one while there is something to receive only.
var batches = sync.Pool{New: func() any { return newBatch() }}

// receiver is what takes the messages of a socket.
type receiver interface {
	// begin comes before the messages of a batch.
	begin()
	// take takes a message. If it returns true, the next message will be taken by the
	// next call of receive.
	take(*packet) (stop bool)
	// end comes after the messages of a batch, and before any wait.
	end()
}
