package wire

import "bytes"

// maxDepth bounds how deep values may nest. No message of either generation
// needs more than seven levels; a JavaScript seed that repeats a much deeper
// value in an answer runs out of stack.
const maxDepth = 32

// This file reads JSON where it lies: a value is the slice of the line that
// holds it. It accepts exactly what JSON.parse accepts, except that nesting is
// bounded. Bytes that are not UTF-8 may stand in a string, since a JavaScript
// node replaces them before it parses; they are replaced when the string is
// taken out.

// validate reports whether line is one JSON value with nothing but white space
// around it, and returns the value without that space.
func validate(line []byte) ([]byte, bool) {
	start := skipSpace(line, 0)
	end := scanValue(line, start, maxDepth)
	if end < 0 || skipSpace(line, end) != len(line) {
		return nil, false
	}
	return line[start:end], true
}

// skipSpace returns the index of the first byte from i on that is not white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// scanValue returns the index after the value that starts at b[i], or -1.
func scanValue(b []byte, i, depth int) int {
	if i >= len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '"':
		return scanString(b, i)
	case c == '{':
		return scanObject(b, i, depth)
	case c == '[':
		return scanArray(b, i, depth)
	case c == '-' || '0' <= c && c <= '9':
		return scanNumber(b, i)
	case c == 't':
		return scanLiteral(b, i, "true")
	case c == 'f':
		return scanLiteral(b, i, "false")
	case c == 'n':
		return scanLiteral(b, i, "null")
	}
	return -1
}

func scanLiteral(b []byte, i int, lit string) int {
	if len(b)-i < len(lit) || string(b[i:i+len(lit)]) != lit {
		return -1
	}
	return i + len(lit)
}

func scanNumber(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	switch {
	case i >= len(b):
		return -1
	case b[i] == '0':
		i++
	case '1' <= b[i] && b[i] <= '9':
		i = scanDigits(b, i)
	default:
		return -1
	}
	if i < len(b) && b[i] == '.' {
		start := i + 1
		if i = scanDigits(b, start); i == start {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start := i
		if i = scanDigits(b, start); i == start {
			return -1
		}
	}
	return i
}

func scanDigits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// scanString returns the index after the string whose opening quote is b[i], or -1.
func scanString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return -1
		case c == '\\':
			i++
			if i >= len(b) {
				return -1
			}
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if hex4(b[i+1:]) < 0 {
					return -1
				}
				i += 4
			default:
				return -1
			}
		}
	}
	return -1
}

// hex4 returns the value of the four hex digits that b starts with, or -1.
func hex4(b []byte) rune {
	if len(b) < 4 {
		return -1
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

func scanObject(b []byte, i, depth int) int {
	if depth == 0 {
		return -1
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return -1
		}
		if i = scanString(b, i); i < 0 {
			return -1
		}
		i = skipSpace(b, i)
		if i >= len(b) || b[i] != ':' {
			return -1
		}
		if i = scanValue(b, skipSpace(b, i+1), depth-1); i < 0 {
			return -1
		}
		i = skipSpace(b, i)
		switch {
		case i >= len(b):
			return -1
		case b[i] == '}':
			return i + 1
		case b[i] != ',':
			return -1
		}
		i = skipSpace(b, i+1)
	}
}

func scanArray(b []byte, i, depth int) int {
	if depth == 0 {
		return -1
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1
	}
	for {
		if i = scanValue(b, i, depth-1); i < 0 {
			return -1
		}
		i = skipSpace(b, i)
		switch {
		case i >= len(b):
			return -1
		case b[i] == ']':
			return i + 1
		case b[i] != ',':
			return -1
		}
		i = skipSpace(b, i+1)
	}
}

// skipValid is scanValue for a value that is known to be valid: it only looks
// for its end.
func skipValid(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		for depth := 0; ; {
			switch b[i] {
			case '"':
				i = skipString(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
	}
	for i < len(b) {
		switch b[i] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return i
		}
		i++
	}
	return i
}

func skipString(b []byte, i int) int {
	for i++; ; i++ {
		// The next quote ends the string unless an odd number of backslashes
		// stands before it.
		i += bytes.IndexByte(b[i:], '"')
		n := i
		for b[n-1] == '\\' {
			n--
		}
		if (i-n)%2 == 0 {
			return i + 1
		}
	}
}

// A members goes through the members of an object, or the elements of an array,
// that is known to be valid.
type members struct {
	raw []byte
	pos int
}

func membersOf(raw []byte) members { return members{raw: raw, pos: skipSpace(raw, 1)} }

// field returns the next member of an object. The key has its quotes on.
func (m *members) field() (key, value []byte, ok bool) {
	if m.raw[m.pos] == '}' {
		return nil, nil, false
	}
	end := skipString(m.raw, m.pos)
	key = m.raw[m.pos:end]
	m.pos = skipSpace(m.raw, skipSpace(m.raw, end)+1) // The colon.
	return key, m.value(), true
}

// element returns the next element of an array.
func (m *members) element() (value []byte, ok bool) {
	if m.raw[m.pos] == ']' {
		return nil, false
	}
	return m.value(), true
}

// value takes the value at pos and the comma after it.
func (m *members) value() []byte {
	end := skipValid(m.raw, m.pos)
	value := m.raw[m.pos:end]
	m.pos = skipSpace(m.raw, end)
	if m.raw[m.pos] == ',' {
		m.pos = skipSpace(m.raw, m.pos+1)
	}
	return value
}

// Kinds of a valid value, by its first byte.

func isObject(raw []byte) bool { return len(raw) > 0 && raw[0] == '{' }
func isArray(raw []byte) bool  { return len(raw) > 0 && raw[0] == '[' }
func isString(raw []byte) bool { return len(raw) > 0 && raw[0] == '"' }
func isTrue(raw []byte) bool   { return len(raw) > 0 && raw[0] == 't' }
func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || '0' <= raw[0] && raw[0] <= '9')
}

// isNull also holds for a field that is not there.
func isNull(raw []byte) bool { return len(raw) == 0 || raw[0] == 'n' }
