package wire

import "slices"

// IsInstance reports whether s is 32 lower-case hex digits.
func IsInstance(s string) bool {
	return len(s) == 32 && !slices.ContainsFunc([]byte(s), func(c byte) bool {
		return !('0' <= c && c <= '9' || 'a' <= c && c <= 'f')
	})
}

// instance returns what [IsInstance] accepts, or nothing.
func instance(raw []byte) string {
	if s, _ := text(raw, maxID); IsInstance(s) {
		return s
	}
	return ""
}
