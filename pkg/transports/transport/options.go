package transport

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/netip"
)

// Options say where a transport connects to or accepts on. What other nodes
// are told of them is their JSON form: the object that the npm package hands
// to connect and accept, {"port":8000} or {"port":443,"secure":true}.
type Options struct {
	// Port is the TCP port, 1 to 65535, or 0 for a free one when listening.
	Port int
	// Secure wraps the stream in TLS: wss:// instead of ws://.
	Secure bool

	// Host is the address to listen on; empty means every address of the
	// machine. It stays here: other nodes are told the address that they or
	// others see.
	Host string
	// TLS configures a secure stream: certificates when listening, roots and
	// server name when dialing. Nil dials with the system's roots. It stays here.
	TLS *tls.Config
	// Token shows a node that takes members only that this one is a member, when
	// dialing: at most MaxTokenBytes. Without Secure others on the way can read it.
	// It stays out of what is announced.
	Token string
	// IP is where the host that is dialed is known to be: it is connected to, and
	// the name is not looked up. The certificate has to be the name's all the same,
	// and an HTTP server is told the name. It stays here.
	IP netip.Addr
	// Extra holds further fields that a transport of your own announces, by
	// name. The transports of this module ignore them.
	Extra map[string]json.RawMessage
}

// MarshalJSON gives the announced form. Options that announce nothing are {}.
func (o Options) MarshalJSON() ([]byte, error) {
	fields := make(map[string]any, len(o.Extra)+2)
	for name, value := range o.Extra {
		fields[name] = value
	}
	if o.Port != 0 {
		fields["port"] = o.Port
	}
	if o.Secure {
		fields["secure"] = true
	}
	return json.Marshal(fields)
}

// UnmarshalJSON reads what another node announced. It is lenient as the npm
// package is: `true` and `null` (accept was called without options) are empty
// options, and secure is anything that JavaScript takes for true. A port that
// is no whole number from 0 to 65535 is an error.
func (o *Options) UnmarshalJSON(data []byte) error {
	*o = Options{}
	if string(data) == "true" || string(data) == "null" {
		return nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return fmt.Errorf("transport options are not an object: %w", err)
	}
	for name, value := range fields {
		switch name {
		case "port":
			if err := json.Unmarshal(value, &o.Port); err != nil || o.Port < 0 || o.Port > 65535 {
				return fmt.Errorf("transport option port is %.20s, want a whole number from 0 to 65535", value)
			}
		case "secure":
			o.Secure = truthy(value)
		default:
			if o.Extra == nil {
				o.Extra = make(map[string]json.RawMessage)
			}
			o.Extra[name] = value
		}
	}
	return nil
}

// truthy tells whether JavaScript would take a JSON value for true.
func truthy(value json.RawMessage) bool {
	switch string(value) {
	case "false", "null", "0", "-0", `""`:
		return false
	}
	return true
}
