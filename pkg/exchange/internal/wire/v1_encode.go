package wire

import (
	"encoding/json"
	"strconv"
)

// The AppendV1 functions append one message of generation 1 with its line end,
// and return the extended buffer. nonce is from [NonceV1] for a request; a res
// has the nonce of the request it answers.

// AppendV1Hello appends a hello of version 1. A nil connectInfo says that the
// node does not accept.
func AppendV1Hello(dst []byte, nonce, connectInfo json.RawMessage, networks []string) []byte {
	return appendHelloV1(dst, nonce, 1, connectInfo, networks)
}

func appendHelloV1(dst, nonce []byte, version int, connectInfo []byte, networks []string) []byte {
	dst = appendStartV1(dst, V1Hello, nonce)
	dst = append(dst, '[')
	dst = strconv.AppendInt(dst, int64(version), 10)
	dst = append(dst, ',')
	if isObject(connectInfo) {
		dst = appendCompact(dst, connectInfo)
	} else {
		dst = append(dst, "null"...)
	}
	dst = append(dst, ',')
	dst = appendStrings(dst, networks)
	return append(dst, "]]\n"...)
}

// AppendV1GetPeers appends a request for candidates of a network.
func AppendV1GetPeers(dst []byte, nonce json.RawMessage, network string) []byte {
	dst = appendStartV1(dst, V1GetPeers, nonce)
	dst = appendQuoted(dst, network)
	return append(dst, "]\n"...)
}

// AppendV1Relay appends a request for a relay to a candidate.
func AppendV1Relay(dst []byte, nonce json.RawMessage, id string) []byte {
	dst = appendStartV1(dst, V1Relay, nonce)
	dst = append(dst, '[')
	dst = appendQuoted(dst, id)
	return append(dst, "]]\n"...)
}

// AppendV1Incoming appends the notice that a relay with this id is coming. It
// must be sent before the relay is opened.
func AppendV1Incoming(dst []byte, nonce json.RawMessage, id string) []byte {
	dst = appendStartV1(dst, V1Incoming, nonce)
	dst = append(dst, '[')
	dst = appendQuoted(dst, id)
	return append(dst, "]]\n"...)
}

// AppendV1Upgrade appends one signal of the negotiation of a WebRTC connection.
// It is sent through a relay and must never be answered.
func AppendV1Upgrade(dst []byte, nonce json.RawMessage, transport string, signal json.RawMessage) []byte {
	dst = appendStartV1(dst, V1Upgrade, nonce)
	dst = append(dst, `{"transport":`...)
	dst = appendQuoted(dst, transport)
	dst = append(dst, `,"signal":`...)
	dst = appendCompact(dst, signal)
	return append(dst, "}]\n"...)
}

// AppendV1Connect appends the request to open the data stream of a network.
func AppendV1Connect(dst []byte, nonce json.RawMessage, network string) []byte {
	dst = appendStartV1(dst, V1Connect, nonce)
	dst = appendQuoted(dst, network)
	return append(dst, "]\n"...)
}

// AppendV1Res appends the answer to a relay, incoming or connect that succeeded.
func AppendV1Res(dst []byte, nonce json.RawMessage) []byte {
	return append(appendStartV1(dst, V1Res, nonce), "null]\n"...)
}

// AppendV1ResError appends the answer to a relay or connect that failed. The
// published package closes the connection after it has sent one.
func AppendV1ResError(dst []byte, nonce json.RawMessage, text string) []byte {
	dst = appendStartV1(dst, V1Res, nonce)
	dst = appendQuoted(dst, text)
	return append(dst, "]\n"...)
}

// AppendV1Candidates appends the answer to a getpeers. Candidates whose
// ConnectInfo is no object are left out, because they crash a JavaScript asker.
func AppendV1Candidates(dst []byte, nonce json.RawMessage, candidates []Candidate) []byte {
	dst = appendStartV1(dst, V1Res, nonce)
	dst = append(dst, "[null,["...)
	first := true
	for _, c := range candidates {
		if !isObject(c.ConnectInfo) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, `{"id":`...)
		dst = appendQuoted(dst, c.ID)
		dst = append(dst, `,"network":`...)
		dst = appendQuoted(dst, c.Network)
		dst = append(dst, `,"connectInfo":`...)
		dst = appendCompact(dst, c.ConnectInfo)
		dst = append(dst, '}')
	}
	return append(dst, "]]]\n"...)
}

// AppendV1GetPeersError appends the answer to a getpeers that failed.
func AppendV1GetPeersError(dst []byte, nonce json.RawMessage, text string) []byte {
	dst = appendStartV1(dst, V1Res, nonce)
	dst = append(dst, '[')
	dst = appendQuoted(dst, text)
	return append(dst, "]]\n"...)
}

func appendStartV1(dst []byte, command CommandV1, nonce []byte) []byte {
	dst = append(dst, '[', '"')
	dst = append(dst, command.String()...)
	dst = append(dst, '"', ',')
	dst = append(dst, nonce...)
	return append(dst, ',')
}
