package wire

import (
	"strconv"
	"time"
)

// AppendGoAway appends the notice that the node is about to end the connection,
// an extension: within that time, and with addresses of other nodes that the
// other side may connect to instead. Only the first 8 of them are sent, and
// those that are empty or longer than 256 bytes are left out.
func AppendGoAway(dst []byte, addresses []string, within time.Duration) []byte {
	sent := make([]string, 0, maxElsewhere)
	for _, address := range addresses {
		if address != "" && len(address) <= maxAddress && len(sent) < maxElsewhere {
			sent = append(sent, address)
		}
	}
	dst = append(dst, `{"command":"goaway","addresses":`...)
	dst = appendStrings(dst, sent)
	dst = append(dst, `,"within":`...)
	dst = strconv.AppendInt(dst, max(within.Milliseconds(), 0), 10)
	return append(dst, "}\n"...)
}

// within reads a time in milliseconds. More than a day is as good as a day.
func within(raw []byte) (time.Duration, bool) {
	ms, ok := integer(raw)
	if !ok || ms < 0 {
		return 0, false
	}
	return time.Duration(min(ms, maxWithin.Milliseconds())) * time.Millisecond, true
}
