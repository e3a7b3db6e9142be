package wire

import "encoding/json"

func decodeHello(f *fieldsV0) (*Hello, bool) {
	h := &Hello{Version: -1}
	var ok bool
	if h.ID, ok = text(f[fieldID], maxNetworkID); !ok {
		return nil, false
	}
	if !isNumber(f[fieldVersion]) {
		return nil, false
	}
	h.Version = version(f[fieldVersion])
	if !isNull(f[fieldAccepts]) {
		if !isObject(f[fieldAccepts]) {
			return nil, false
		}
		h.Accepts = decodeAccepts(f[fieldAccepts])
	}
	if !isNull(f[fieldTransports]) {
		if !isArray(f[fieldTransports]) {
			return nil, false
		}
		h.Transports = texts(f[fieldTransports], maxTransports, maxTransportName)
	}
	h.ReceiverAddress, _ = text(f[fieldReceiverAddress], maxAddress)
	if isObject(f[fieldExt]) {
		h.Ext = decodeExt(f[fieldExt])
	}
	return h, true
}

// version returns a protocol version, or -1 for what cannot be one.
func version(raw []byte) int {
	n, ok := integer(raw)
	if !ok || n < 0 || n > 1<<16 {
		return -1
	}
	return int(n)
}

// decodeAccepts returns nil rather than an empty map, since most nodes accept
// nothing.
func decodeAccepts(raw []byte) map[string]json.RawMessage {
	var accepts map[string]json.RawMessage
	m := membersOf(raw)
	for {
		name, opts, ok := m.field()
		if !ok {
			return accepts
		}
		transport, ok := text(name, maxTransportName)
		if !ok {
			continue
		}
		delete(accepts, transport) // The last of one name counts.
		if clone, ok := cloneOpts(transport, opts); ok && len(accepts) < maxTransports {
			if accepts == nil {
				accepts = make(map[string]json.RawMessage)
			}
			accepts[transport] = clone
		}
	}
}

func decodeExt(raw []byte) *Ext {
	e := new(Ext)
	m := membersOf(raw)
	for {
		name, value, ok := m.field()
		if !ok {
			return e
		}
		switch string(key(name)) {
		case "agent":
			e.Agent, _ = text(value, maxAgent)
		case "instance":
			e.Instance = instance(value)
		case "mesh":
			e.Mesh = instance(value)
		case "features":
			e.Features = texts(value, maxFeatures, maxTransportName)
		case "addresses":
			e.Addresses = texts(value, maxAddresses, maxAddress)
		case "window":
			e.Window = 0
			if n, ok := integer(value); ok && n > 0 && n <= 1<<30 {
				e.Window = int(n)
			}
		case "token":
			e.Token, _ = text(value, maxAccessToken)
		}
	}
}
