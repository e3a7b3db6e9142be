package wire

// text returns a string of 1 to limit bytes.
func text(raw []byte, limit int) (string, bool) {
	if !isString(raw) || len(raw) > 6*limit+2 {
		return "", false
	}
	s := unquote(raw)
	if s == "" || len(s) > limit {
		return "", false
	}
	return s, true
}

// texts returns the elements of an array that [text] accepts, at most count.
func texts(raw []byte, count, limit int) []string {
	if !isArray(raw) {
		return nil
	}
	var list []string
	m := membersOf(raw)
	for len(list) < count {
		value, ok := m.element()
		if !ok {
			break
		}
		if s, ok := text(value, limit); ok {
			list = append(list, s)
		}
	}
	return list
}
