package wire

import (
	"bytes"
	"fmt"
	"sync"
)

// DefaultMaxLine is how many bytes a control message may have unless the
// configuration says otherwise.
const DefaultMaxLine = 64 << 10

// Lines takes a byte stream apart into lines, as npm's ndjson (split2) does: a
// line ends in LF or CRLF, and empty lines are skipped. It holds memory only
// while a line is split between chunks. The zero value is ready for use; a
// Lines is used by one goroutine at a time.
type Lines struct {
	// Max is how many bytes a line may have, without its end. Zero means
	// DefaultMaxLine.
	Max int

	partial *[]byte // The line so far, if it began in an earlier chunk.
	spent   bool    // partial was handed out as a line and is done with.
}

// Feed calls fn with each line that ends in chunk. The line is valid during the
// call only. Feed returns the first error of fn as it is, and
// [ErrMessageTooLarge] as soon as a line is too long; the stream cannot be
// continued after an error.
func (l *Lines) Feed(chunk []byte, fn func(line []byte) error) error {
	for len(chunk) > 0 {
		line, rest, err := l.next(chunk)
		if err == nil && len(line) > 0 {
			err = fn(line)
		}
		if err != nil {
			l.release()
			return err
		}
		chunk = rest
	}
	l.settle()
	return nil
}

// next returns the first line that ends in chunk, without its end, and what
// follows it. The line is empty if there is none or if it is an empty one. It is
// valid until the next call of next or release.
func (l *Lines) next(chunk []byte) (line, rest []byte, err error) {
	l.settle()
	limit := l.Max
	if limit <= 0 {
		limit = DefaultMaxLine
	}
	i := bytes.IndexByte(chunk, '\n')
	if i < 0 {
		if l.hold(chunk, limit+1) { // One more for a CR.
			return nil, nil, nil
		}
		return nil, nil, fmt.Errorf("line of more than %d bytes: %w", limit, ErrMessageTooLarge)
	}
	line, rest = chunk[:i], chunk[i+1:]
	if l.partial != nil {
		if !l.hold(line, limit+1) {
			return nil, nil, fmt.Errorf("line of more than %d bytes: %w", limit, ErrMessageTooLarge)
		}
		line = *l.partial
		l.spent = true
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) > limit {
		return nil, nil, fmt.Errorf("line of more than %d bytes: %w", limit, ErrMessageTooLarge)
	}
	return line, rest, nil
}

// hold keeps piece for when the rest of its line arrives, and reports whether
// what is held is within limit.
func (l *Lines) hold(piece []byte, limit int) bool {
	if l.partial == nil {
		l.partial = scratch.Get().(*[]byte)
	}
	if len(*l.partial)+len(piece) > limit {
		return false
	}
	*l.partial = append(*l.partial, piece...)
	return true
}

// held is how many bytes of memory the half line takes that is kept.
func (l *Lines) held() int {
	if l.partial == nil {
		return 0
	}
	return cap(*l.partial)
}

// settle gives the buffer back once the line in it is done with.
func (l *Lines) settle() {
	if l.spent {
		l.release()
	}
}

// release forgets what is held.
func (l *Lines) release() {
	if l.partial != nil {
		putScratch(l.partial)
	}
	l.partial, l.spent = nil, false
}

// Buffers that a line or a signal needs for a moment go round, so that a
// connection at rest holds none.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch keeps a rare long line from staying in memory for good.
const maxScratch = 16 << 10

func putScratch(b *[]byte) {
	if cap(*b) <= maxScratch {
		*b = (*b)[:0]
		scratch.Put(b)
	}
}
