package wire

import (
	"encoding/json"
	"strconv"
)

// MagicV1 is what each side of a generation 1 connection sends before its first
// multiplex frame (lib/peer.js of npm pxp 1.1.0).
const MagicV1 = "#PXP#"

// CommandV1 is what a generation 1 control message is about.
type CommandV1 uint8

// Commands of generation 1 (lib/pxp.js of npm pxp 1.1.0).
const (
	// V1Unknown is a line that is no message, or a command that does not exist.
	V1Unknown CommandV1 = iota
	V1Hello
	V1GetPeers
	V1Relay
	V1Incoming
	V1Upgrade
	V1Connect
	V1Res
)

var commandsV1 = [...]string{
	V1Unknown:  "unknown",
	V1Hello:    "hello",
	V1GetPeers: "getpeers",
	V1Relay:    "relay",
	V1Incoming: "incoming",
	V1Upgrade:  "upgrade",
	V1Connect:  "connect",
	V1Res:      "res",
}

// String returns the command as it is written on the wire.
func (c CommandV1) String() string {
	if int(c) < len(commandsV1) {
		return commandsV1[c]
	}
	return commandsV1[V1Unknown]
}

// V1 is a control message of generation 1. Command says which fields are set;
// the others are zero.
type V1 struct {
	Command CommandV1

	// Nonce is a JSON string, or a number if an unusual node sent one. A request
	// is answered by a res with the same nonce.
	Nonce json.RawMessage

	Version     int             // hello: 1, or -1 for a number that is no small integer.
	ConnectInfo json.RawMessage // hello: an object, or nil if the node does not accept.
	Networks    []string        // hello
	Network     string          // getpeers, connect
	ID          string          // relay, incoming: a candidate's id.
	Transport   string          // upgrade
	Signal      json.RawMessage // upgrade: any value; see [CheckSignal].
	Args        json.RawMessage // res: any value; see [DecodeCandidates] and [ResError].
}

// Candidate is a peer that can be asked for with relay.
type Candidate struct {
	ID          string
	Network     string
	ConnectInfo json.RawMessage // An object. A JavaScript asker crashes on anything else.
}

// NonceV1 returns the nonce of a node's n-th request, counted from 0 as the
// published package does: hello has 0.
func NonceV1(n uint64) json.RawMessage {
	nonce := append(make(json.RawMessage, 0, 15), '"')
	nonce = strconv.AppendUint(nonce, n, 36)
	return append(nonce, '"')
}
