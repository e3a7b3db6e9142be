package wire

import "strconv"

// RelayedSignal is the line, without its end, by which an end of a generation 0
// relay says that its negotiation has failed and that it wants the connection to
// go through the relay. It says nothing more in the relay after it. An extension.
const RelayedSignal = `{"relayed":true}`

// maxRelayed bounds Relayed, in bytes a second.
const maxRelayed = 1 << 30

func appendRelayed(dst []byte, perSecond int) []byte {
	if perSecond <= 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, `,"relayed":`...), int64(min(perSecond, maxRelayed)), 10)
}

// relayed reads the field, or returns 0.
func relayed(raw []byte) int {
	if n, ok := integer(raw); ok && n > 0 && n <= maxRelayed {
		return int(n)
	}
	return 0
}

// AllowRelayed has the guard of a generation 0 relay let [RelayedSignal] pass,
// once from each side. It is called before anything is forwarded.
func (g *Guard) AllowRelayed() { g.relayable = true }

// Relayed reports whether both sides have sent it.
func (g *Guard) Relayed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.relayed == [2]bool{true, true}
}

// appendRelayed tells whether a line is RelayedSignal where that may come, and
// appends it then. After it nothing may come.
func (g *Guard) appendRelayed(side Side, dst, line []byte) (out []byte, ok bool, err error) {
	switch {
	case g.relayed[side]:
		return dst, false, ErrInvalidSignal
	case !g.relayable || string(line) != RelayedSignal:
		return dst, false, nil
	}
	g.relayed[side] = true
	return append(append(dst, line...), '\n'), true, nil
}
