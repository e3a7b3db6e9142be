package load

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
)

// helloLine is the first line that a client sends. accepts is JSON: {} for one that accepts nothing.
func helloLine(networkID, accepts string) string {
	id, _ := json.Marshal(networkID) // a string always has an encoding
	return `{"command":"hello","id":` + string(id) + `,"version":0,"accepts":` + accepts +
		`,"transports":["websocket","webrtc","tcp"]}` + "\n"
}

const helloackLine = `{"command":"helloack"}` + "\n"

// acceptsWebsocket is what a candidate announces that others reach directly.
func acceptsWebsocket(port int) string { return `{"websocket":{"port":` + strconv.Itoa(port) + `}}` }

// acceptsWebRTC is what a candidate announces that others reach through a relay only.
const acceptsWebRTC = `{"webrtc":true}`

// getPeerLine holds a getPeer request with its request ID at getPeerID.
const (
	getPeerLine = `{"command":"getPeer","reqId":"00000000000000000000000000000000"}` + "\n"
	getPeerID   = len(`{"command":"getPeer","reqId":"`)
	idBytes     = 16 // of a request ID or nonce; on the wire it is twice as many hex digits
)

// putID writes id over the request ID in line.
func putID(line []byte, id [idBytes]byte) {
	hex.Encode(line[getPeerID:getPeerID+2*idBytes], id[:])
}

var (
	commandPrefix  = []byte(`{"command":"`)
	helloPrefix    = []byte(`{"command":"hello"`)
	helloackPrefix = []byte(`{"command":"helloack"`)
	incomingPrefix = []byte(`{"command":"incoming"`)
	nonceKey       = []byte(`"nonce":"`)
)

// isAnswer tells an answer to a getPeer request: the request ID is its command.
func isAnswer(line []byte) bool {
	at := len(commandPrefix) + 2*idBytes
	return len(line) > at && line[at] == '"' && bytes.HasPrefix(line, commandPrefix)
}

// nonce finds the nonce of an answer or of an incoming line.
func nonce(line []byte) (string, error) {
	at := bytes.Index(line, nonceKey)
	if at < 0 {
		return "", fmt.Errorf("no nonce in %q", line)
	}
	value := line[at+len(nonceKey):]
	end := bytes.IndexByte(value, '"')
	if end <= 0 {
		return "", fmt.Errorf("no nonce in %q", line)
	}
	return string(value[:end]), nil
}
