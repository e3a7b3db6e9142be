package wire

import "fmt"

// Fields of the messages of generation 0.
const (
	fieldCommand = iota
	fieldID
	fieldVersion
	fieldAccepts
	fieldTransports
	fieldReceiverAddress
	fieldExt
	fieldReqID
	fieldExclude
	fieldNonce
	fieldTransport
	fieldOpts
	fieldAddress
	fieldToken
	fieldBytes
	fieldReason
	fieldServers
	fieldTTL
	fieldAddresses
	fieldWithin
	fieldRelayed
	fieldAlias
	numFields
)

// fieldsV0 holds the value of each field, or nil where it is missing. Of several
// fields of one name the last counts, as in JSON.parse.
type fieldsV0 [numFields][]byte

func (f *fieldsV0) read(object []byte) {
	m := membersOf(object)
	for {
		name, value, ok := m.field()
		if !ok {
			return
		}
		var i int
		switch string(key(name)) {
		case "command":
			i = fieldCommand
		case "id":
			i = fieldID
		case "version":
			i = fieldVersion
		case "accepts":
			i = fieldAccepts
		case "transports":
			i = fieldTransports
		case "receiverAddress":
			i = fieldReceiverAddress
		case "ext":
			i = fieldExt
		case "reqId":
			i = fieldReqID
		case "exclude":
			i = fieldExclude
		case "nonce":
			i = fieldNonce
		case "transport":
			i = fieldTransport
		case "opts":
			i = fieldOpts
		case "address":
			i = fieldAddress
		case "token":
			i = fieldToken
		case "bytes":
			i = fieldBytes
		case "reason":
			i = fieldReason
		case "servers":
			i = fieldServers
		case "ttl":
			i = fieldTTL
		case "addresses":
			i = fieldAddresses
		case "within":
			i = fieldWithin
		case "relayed":
			i = fieldRelayed
		case "alias":
			i = fieldAlias
		default:
			continue
		}
		f[i] = value
	}
}

// DecodeV0 decodes line, a control message of generation 0 without its line end,
// into m and overwrites all of m. Everything in m but Mesh is a copy, so line may
// be reused. The error is [ErrInvalidJSON], or [ErrInvalidMessage] for a known
// command with fields of a wrong type or size.
func DecodeV0(line []byte, m *V0) error {
	*m = V0{}
	value, ok := validate(line)
	if !ok {
		return fmt.Errorf("decode message: %w", ErrInvalidJSON)
	}
	if !isObject(value) {
		return nil
	}
	var f fieldsV0
	f.read(value)
	if !isString(f[fieldCommand]) {
		return nil
	}
	m.setCommand(f[fieldCommand])

	switch m.Command {
	case V0Hello:
		m.Hello, ok = decodeHello(&f)
	case V0HelloAck:
	case V0GetPeer:
		m.ReqID, ok = text(f[fieldReqID], maxID)
		if !isNull(f[fieldExclude]) && ok {
			m.Exclude = texts(f[fieldExclude], maxExclude, maxID)
		}
	case V0Incoming:
		m.Nonce, ok = text(f[fieldNonce], maxID)
		if ok {
			m.Transport, ok = text(f[fieldTransport], maxTransportName)
		}
		m.Relayed, m.Alias = relayed(f[fieldRelayed]), instance(f[fieldAlias])
	case V0Accept:
		m.Transport, ok = text(f[fieldTransport], maxTransportName)
		if ok {
			m.setAcceptOpts(f[fieldOpts])
		}
	case V0Unaccept:
		m.Transport, ok = text(f[fieldTransport], maxTransportName)
	case V0Ping, V0Pong:
		m.Token, ok = text(f[fieldToken], maxID)
	case V0Credit:
		m.Bytes, ok = integer(f[fieldBytes])
		ok = ok && m.Bytes > 0
	case V0Refused:
		m.Reason, ok = text(f[fieldReason], maxID)
	case V0ICE:
		m.Servers, m.TTL, ok = decodeICE(&f)
	case V0Mesh:
		m.Mesh = value
	case V0GoAway:
		m.Addresses = texts(f[fieldAddresses], maxElsewhere, maxAddress)
		m.Within, ok = within(f[fieldWithin])
	default:
		m.setAnswer(&f)
	}
	if !ok {
		command := m.Command
		*m = V0{}
		return fmt.Errorf("decode %s: %w", command, ErrInvalidMessage)
	}
	return nil
}

// setCommand sets Command and Name. The switch costs no memory for a command
// that is known.
func (m *V0) setCommand(raw []byte) {
	switch string(key(raw)) {
	case "hello":
		m.Command = V0Hello
	case "helloack":
		m.Command = V0HelloAck
	case "getPeer":
		m.Command = V0GetPeer
	case "incoming":
		m.Command = V0Incoming
	case "accept":
		m.Command = V0Accept
	case "unaccept":
		m.Command = V0Unaccept
	case "ping":
		m.Command = V0Ping
	case "pong":
		m.Command = V0Pong
	case "credit":
		m.Command = V0Credit
	case "refused":
		m.Command = V0Refused
	case "ice":
		m.Command = V0ICE
	case "mesh":
		m.Command = V0Mesh
	case "goaway":
		m.Command = V0GoAway
	default:
		m.Name, _ = text(raw, maxID)
		return
	}
	m.Name = m.Command.String()
}

// setAcceptOpts keeps the options of an accept. Options that could not be handed
// to an asker make the message one that is not understood.
func (m *V0) setAcceptOpts(raw []byte) {
	if !truthy(raw) {
		raw = []byte("true") // As in JavaScript: opts || true.
	}
	opts, ok := cloneOpts(m.Transport, raw)
	if !ok {
		*m = V0{Name: m.Name}
		return
	}
	m.Opts = opts
}

// setAnswer sets the fields of an answer. Those that have a wrong type are left
// out, so that what remains is an answer without a peer.
func (m *V0) setAnswer(f *fieldsV0) {
	transport, _ := text(f[fieldTransport], maxTransportName)
	address, _ := text(f[fieldAddress], maxAddress)
	nonce, _ := text(f[fieldNonce], maxID)
	if opts, ok := cloneOpts(transport, f[fieldOpts]); ok && transport != "" {
		m.Transport, m.Opts, m.Address, m.Nonce = transport, opts, address, nonce
		m.Relayed, m.Alias = relayed(f[fieldRelayed]), instance(f[fieldAlias])
	}
}

// truthy is JavaScript's idea of a value, or a missing one, being true.
func truthy(raw []byte) bool {
	if isNumber(raw) {
		return string(appendNumber(nil, raw)) != "0"
	}
	return !isNull(raw) && raw[0] != 'f' && string(raw) != `""`
}
