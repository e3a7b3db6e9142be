package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// compactCopy returns a copy of raw, a valid value, in the form that JSON.parse
// and JSON.stringify make of it.
func compactCopy(raw []byte) json.RawMessage {
	return appendCompact(make([]byte, 0, len(raw)), raw)
}

// appendCompact appends raw, a valid value, as JSON.stringify writes what
// JSON.parse makes of it: no white space, one spelling of every string and
// number, the last of several members of one name at the place of the first. (But
// members whose names are numbers stay where they are.)
func appendCompact(dst, raw []byte) []byte {
	switch {
	case isString(raw):
		if bytes.IndexByte(raw, '\\') < 0 {
			return appendQuoted(dst, raw[1:len(raw)-1])
		}
		return appendQuoted(dst, appendUnquoted(nil, raw))
	case isNumber(raw):
		return appendNumber(dst, raw)
	case isArray(raw):
		dst = append(dst, '[')
		m := membersOf(raw)
		for i := 0; ; i++ {
			value, ok := m.element()
			if !ok {
				return append(dst, ']')
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendCompact(dst, value)
		}
	case isObject(raw):
		return appendCompactObject(dst, raw)
	}
	return append(dst, raw...)
}

// maxFewMembers is how many members an object may have for looking through all
// of them again and again to be cheaper than remembering them.
const maxFewMembers = 8

func appendCompactObject(dst, raw []byte) []byte {
	var few [maxFewMembers]member
	list := few[:0]
	var seen map[string]int
	m := membersOf(raw)
	for {
		name, value, ok := m.field()
		if !ok {
			break
		}
		name = key(name)
		i := -1
		if seen == nil {
			i = slices.IndexFunc(list, func(e member) bool { return string(e.name) == string(name) })
		} else if at, ok := seen[string(name)]; ok {
			i = at
		}
		if i >= 0 {
			list[i].value = value
			continue
		}
		if len(list) == maxFewMembers {
			seen = make(map[string]int)
			for i, e := range list {
				seen[string(e.name)] = i
			}
		}
		if seen != nil {
			seen[string(name)] = len(list)
		}
		list = append(list, member{name, value})
	}
	dst = append(dst, '{')
	for i, e := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, e.name)
		dst = append(dst, ':')
		dst = appendCompact(dst, e.value)
	}
	return append(dst, '}')
}

type member struct{ name, value []byte }

// appendNumber appends raw, a valid number, in the spelling of JavaScript.
func appendNumber(dst, raw []byte) []byte {
	if isInteger(raw) {
		return append(dst, raw...)
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return append(dst, "null"...) // Infinity is written so.
	}
	if f == 0 {
		return append(dst, '0') // Negative zero is written so.
	}
	return jsontext.AppendFloat(dst, f, 64)
}

// isInteger reports whether raw, a valid value, is an integer in its one
// JavaScript spelling and small enough to be exact in every language.
func isInteger(raw []byte) bool {
	digits := raw
	if len(digits) > 1 && digits[0] == '-' && digits[1] != '0' {
		digits = digits[1:]
	}
	return len(digits) > 0 && len(digits) <= 15 && scanDigits(digits, 0) == len(digits)
}

// integer returns the value of raw if it is a number without a fraction that
// every language holds exactly, however it is spelled.
func integer(raw []byte) (int64, bool) {
	if !isNumber(raw) {
		return 0, false
	}
	if isInteger(raw) {
		n, err := strconv.ParseInt(string(raw), 10, 64)
		return n, err == nil
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f != float64(int64(f)) || f > 1<<53 || f < -1<<53 {
		return 0, false
	}
	return int64(f), true
}
