package wire

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// The Append functions below append one message of generation 0 with its line
// end, and return the extended buffer. Fields stand in the order in which the
// published package writes them.

// AppendHello appends a hello. Accepts and transports are written even when
// empty: a JavaScript node crashes later if they are missing. Accepts are
// written in the order of their names, and those that [ValidOpts] refuses are
// left out.
func AppendHello(dst []byte, h *Hello) []byte {
	dst = append(dst, `{"command":"hello","id":`...)
	dst = appendQuoted(dst, h.ID)
	dst = append(dst, `,"version":`...)
	dst = strconv.AppendInt(dst, int64(h.Version), 10)
	dst = append(dst, `,"accepts":{`...)
	first := true
	for _, transport := range slices.Sorted(maps.Keys(h.Accepts)) {
		opts := h.Accepts[transport]
		if opts == nil {
			opts = json.RawMessage("true")
		}
		if !ValidOpts(transport, opts) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendQuoted(dst, transport)
		dst = append(dst, ':')
		dst = appendCompact(dst, opts)
	}
	dst = append(dst, `},"transports":`...)
	dst = appendStrings(dst, h.Transports)
	if h.ReceiverAddress != "" {
		dst = append(dst, `,"receiverAddress":`...)
		dst = appendQuoted(dst, h.ReceiverAddress)
	}
	if h.Ext != nil {
		dst = append(dst, `,"ext":{"agent":`...)
		dst = appendQuoted(dst, h.Ext.Agent)
		dst = append(dst, `,"instance":`...)
		dst = appendQuoted(dst, h.Ext.Instance)
		dst = append(dst, `,"features":`...)
		dst = appendStrings(dst, h.Ext.Features)
		if len(h.Ext.Addresses) > 0 {
			dst = append(dst, `,"addresses":`...)
			dst = appendStrings(dst, h.Ext.Addresses)
		}
		if h.Ext.Window > 0 {
			dst = append(dst, `,"window":`...)
			dst = strconv.AppendInt(dst, int64(h.Ext.Window), 10)
		}
		if h.Ext.Token != "" {
			dst = append(dst, `,"token":`...)
			dst = appendQuoted(dst, h.Ext.Token)
		}
		if h.Ext.Mesh != "" {
			dst = append(dst, `,"mesh":`...)
			dst = appendQuoted(dst, h.Ext.Mesh)
		}
		dst = append(dst, '}')
	}
	return append(dst, "}\n"...)
}

// AppendHelloAck appends the answer to a hello.
func AppendHelloAck(dst []byte) []byte {
	return append(dst, `{"command":"helloack"}`+"\n"...)
}

// AppendGetPeer appends a request for a peer. exclude names instances that are
// not wanted and is left out if empty; it means something only to a node that
// announced the feature.
func AppendGetPeer(dst []byte, reqID string, exclude []string) []byte {
	dst = append(dst, `{"command":"getPeer","reqId":`...)
	dst = appendQuoted(dst, reqID)
	if len(exclude) > 0 {
		dst = append(dst, `,"exclude":`...)
		dst = appendStrings(dst, exclude)
	}
	return append(dst, "}\n"...)
}

// AppendAnswer appends the answer to a getPeer. An answer that would crash a
// JavaScript asker, one whose options [ValidOpts] refuses, becomes one without a
// peer, see [AppendNoPeer].
func AppendAnswer(dst []byte, reqID string, a Answer) []byte {
	opts := a.Opts
	if opts == nil {
		opts = json.RawMessage("true")
	}
	if a.Transport == "" || a.Address == "" || !ValidOpts(a.Transport, opts) {
		return AppendNoPeer(dst, reqID)
	}
	dst = append(dst, `{"command":`...)
	dst = appendQuoted(dst, reqID)
	dst = append(dst, `,"transport":`...)
	dst = appendQuoted(dst, a.Transport)
	dst = append(dst, `,"opts":`...)
	dst = appendCompact(dst, opts)
	dst = append(dst, `,"address":`...)
	dst = appendQuoted(dst, a.Address)
	dst = append(dst, `,"nonce":`...)
	dst = appendQuoted(dst, a.Nonce)
	return append(appendAlias(appendRelayed(dst, a.Relayed), a.Alias), "}\n"...)
}

// AppendNoPeer appends the answer to a getPeer when there is no peer to offer.
func AppendNoPeer(dst []byte, reqID string) []byte {
	dst = append(dst, `{"command":`...)
	dst = appendQuoted(dst, reqID)
	return append(dst, `,"transport":null,"opts":null,"address":null}`+"\n"...)
}

// AppendIncoming appends the notice that a relay with this nonce is coming. It
// must be sent before the relay is opened. A JavaScript node crashes if the
// transport is not one that it negotiates, so for it only webrtc may be given;
// for tcp and websocket, which nobody negotiates, nothing is appended. relayed and
// alias are as in [V0].
func AppendIncoming(dst []byte, nonce, transport string, relayed int, alias string) []byte {
	if transport == "tcp" || transport == "websocket" {
		return dst
	}
	dst = append(dst, `{"command":"incoming","nonce":`...)
	dst = appendQuoted(dst, nonce)
	dst = append(dst, `,"transport":`...)
	dst = appendQuoted(dst, transport)
	return append(appendAlias(appendRelayed(dst, relayed), alias), "}\n"...)
}

func appendAlias(dst []byte, alias string) []byte {
	if alias == "" {
		return dst
	}
	return appendQuoted(append(dst, `,"alias":`...), alias)
}

// AppendAccept appends the notice that the node can be reached with transport.
// Nil options, and true, are left out as the published package does.
func AppendAccept(dst []byte, transport string, opts json.RawMessage) []byte {
	dst = append(dst, `{"command":"accept","transport":`...)
	dst = appendQuoted(dst, transport)
	if isObject(opts) {
		dst = append(dst, `,"opts":`...)
		dst = appendCompact(dst, opts)
	}
	return append(dst, "}\n"...)
}

// AppendUnaccept appends the notice that an accept no longer holds.
func AppendUnaccept(dst []byte, transport string) []byte {
	dst = append(dst, `{"command":"unaccept","transport":`...)
	dst = appendQuoted(dst, transport)
	return append(dst, "}\n"...)
}

// AppendPing appends a ping, an extension. The other side sends the token back.
func AppendPing(dst []byte, token string) []byte { return appendToken(dst, V0Ping, token) }

// AppendPong appends the answer to a ping.
func AppendPong(dst []byte, token string) []byte { return appendToken(dst, V0Pong, token) }

func appendToken(dst []byte, command CommandV0, token string) []byte {
	dst = append(dst, `{"command":"`...)
	dst = append(dst, command.String()...)
	dst = append(dst, `","token":`...)
	dst = appendQuoted(dst, token)
	return append(dst, "}\n"...)
}

// AppendCredit appends permission to send n more bytes of data, an extension.
func AppendCredit(dst []byte, n int64) []byte {
	dst = append(dst, `{"command":"credit","bytes":`...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, "}\n"...)
}

// AppendRefused appends why a node is turned away in its handshake, an extension.
func AppendRefused(dst []byte, reason string) []byte {
	dst = append(dst, `{"command":"refused","reason":`...)
	dst = appendQuoted(dst, reason)
	return append(dst, "}\n"...)
}

func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, s)
	}
	return append(dst, ']')
}
