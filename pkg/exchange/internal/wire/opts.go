package wire

import (
	"encoding/json"
	"strconv"
)

// ValidOpts reports whether opts, a valid JSON value of at most 1024 bytes, can be
// given to an asker as the options of a transport. A JavaScript asker dials without looking: it
// crashes if the options are null, or for tcp and websocket if the port is none
// (lib/transports.js of npm peer-exchange 0.4.1). Those two need an object with a
// port from 1 to 65535, a number or its decimal digits in a string; every other
// transport needs an object or true.
func ValidOpts(transport string, opts json.RawMessage) bool {
	if len(opts) > maxOpts {
		return false
	}
	switch transport {
	case "tcp", "websocket":
		return isObject(opts) && hasPort(opts)
	}
	return isObject(opts) || isTrue(opts)
}

// cloneOpts returns a copy of raw, the options of a transport as they came, and
// whether they can be given to an asker.
func cloneOpts(transport string, raw []byte) (json.RawMessage, bool) {
	if len(raw) > maxOpts {
		return nil, false
	}
	opts := compactCopy(raw) // Which may be longer, so it is checked again.
	return opts, ValidOpts(transport, opts)
}

func hasPort(opts []byte) bool {
	var port []byte
	m := membersOf(opts)
	for {
		name, value, ok := m.field()
		if !ok {
			break
		}
		if string(key(name)) == "port" {
			port = value
		}
	}
	if isString(port) {
		n, err := strconv.ParseUint(string(port[1:len(port)-1]), 10, 16)
		return err == nil && n > 0
	}
	n, ok := integer(port)
	return ok && n > 0 && n < 1<<16
}
