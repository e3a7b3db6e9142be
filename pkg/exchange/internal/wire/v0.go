package wire

import (
	"encoding/json"
	"time"
)

// CommandV0 is what a generation 0 control message is about.
type CommandV0 uint8

// Commands of generation 0 (lib/peer.js of npm peer-exchange 0.4.1), and the
// extensions, which are used between two nodes that both announced them in hello.
const (
	// V0Unknown is a line that is no message, a command this version does not
	// know, or the answer to a getPeer: the command of an answer is the reqId.
	V0Unknown CommandV0 = iota
	V0Hello
	V0HelloAck
	V0GetPeer
	V0Incoming
	V0Accept
	V0Unaccept

	V0Ping
	V0Pong
	V0Credit
	V0Refused
	V0ICE
	V0Mesh
	V0GoAway
)

var commandsV0 = [...]string{
	V0Unknown:  "unknown",
	V0Hello:    "hello",
	V0HelloAck: "helloack",
	V0GetPeer:  "getPeer",
	V0Incoming: "incoming",
	V0Accept:   "accept",
	V0Unaccept: "unaccept",
	V0Ping:     "ping",
	V0Pong:     "pong",
	V0Credit:   "credit",
	V0Refused:  "refused",
	V0ICE:      "ice",
	V0Mesh:     "mesh",
	V0GoAway:   "goaway",
}

// String returns the command as it is written on the wire.
func (c CommandV0) String() string {
	if int(c) < len(commandsV0) {
		return commandsV0[c]
	}
	return commandsV0[V0Unknown]
}

// Limits of what a decoded message holds. What exceeds one is left out, or makes
// the message invalid if it cannot do without.
const (
	maxTransports    = 16   // Transports and accepts in a hello.
	maxTransportName = 64   // Bytes of a transport's name.
	maxOpts          = 1024 // Bytes of a transport's options.
	maxID            = 128  // Bytes of a reqId, nonce, candidate id, token or instance.
	maxNetworkID     = 1024 // Bytes of a network ID.
	maxAddress       = 256  // Bytes of an address.
	maxAgent         = 128  // Bytes of ext.agent.
	maxFeatures      = 32   // Entries of ext.features.
	maxExclude       = 128  // Entries of exclude.
	maxAddresses     = 8    // Entries of ext.addresses, each of maxAddress bytes.
	maxAccessToken   = 4096 // Bytes of ext.token.
	maxElsewhere     = 8    // Addresses of a goaway, each of maxAddress bytes at most.
	maxWithin        = 24 * time.Hour
)

// Ext is what a node that knows extensions says about itself in hello.
type Ext struct {
	Agent     string   // Software and version, at most 128 bytes. For people.
	Instance  string   // 32 lower-case hex digits, or empty.
	Features  []string // Extensions the node understands.
	Addresses []string // URLs that the node is publicly reached at, at most 8 of at most 256 bytes.
	Mesh      string   // Of a seed that dials a sibling: 32 lower-case hex digits to be answered to; else empty.
	Window    int      // Bytes of data the other side may send before it is given credit; 0 if data flows without credit.
	Token     string   // What shows that the node is a member, or empty.
}

// Hello is the first message of each side.
type Hello struct {
	ID string // Network ID, at most 1024 bytes.

	// Version is 0 in generation 0. It is -1 for a number that is no small
	// integer, which no version equals.
	Version int

	// Accepts has the transports the node can be reached with, each with its
	// options: an object, or the literal true. Decoding leaves out what
	// [ValidOpts] refuses.
	Accepts map[string]json.RawMessage

	Transports      []string // What the node can connect with.
	ReceiverAddress string   // Where the node sees the other side, or empty. Published packages never read it.
	Ext             *Ext     // Nil if the node knows no extensions.
}

// V0 is a control message of generation 0. Command says which fields are set;
// the others are zero.
type V0 struct {
	Command CommandV0

	// Name is the command as it was written. If Command is V0Unknown and Name is
	// the reqId of a getPeer that was sent, the message is the answer, and
	// Transport, Opts, Address and Nonce are set. Empty if there is none.
	Name string

	Hello     *Hello          // hello
	ReqID     string          // getPeer
	Exclude   []string        // getPeer: instances and aliases that the asker has already. An extension.
	Nonce     string          // incoming, answer
	Transport string          // incoming, accept, unaccept, answer; empty if the answer has no peer.
	Address   string          // answer
	Opts      json.RawMessage // accept, answer: never empty, an object or true.
	Token     string          // ping, pong
	Bytes     int64           // credit: bytes, more than 0.
	Reason    string          // refused: why, a word.
	Servers   []ICEServer     // ice
	Relayed   int             // incoming, answer: bytes a second that the relay carries if the negotiation fails, 0 if it carries none. An extension.
	Alias     string          // incoming, answer: what the sender calls the other node if that has no instance, 32 lower-case hex digits, or empty. An extension.
	TTL       int             // ice: seconds that the servers are good for, 1 to maxICETTL.
	Mesh      []byte          // mesh: the message, for DecodeMesh. It is not a copy.
	Addresses []string        // goaway: where else to go, in this order.
	Within    time.Duration   // goaway: until the connection is closed.
}

// Answer is what a getPeer is answered with if there is a peer.
type Answer struct {
	Transport string
	Opts      json.RawMessage // What the peer said in its hello or accept. Nil stands for true.
	Address   string          // Must not be empty, not even for webrtc: a JavaScript node takes that for no peer.
	Nonce     string
	Relayed   int    // Bytes a second; see V0.
	Alias     string // See V0.
}
