package wire

import (
	"encoding/json"
	"fmt"
)

// Mesh is a message between two seeds of one network, an extension: the command
// "mesh". Op says which fields are set. Until both seeds have proved that they
// know the mesh secret, only the first three ops mean anything.
type Mesh struct {
	Command string `json:"command"` // "mesh"; AppendMesh sets it
	Op      MeshOp `json:"op"`

	// ID is of a question and its answer (get, found), or of a candidate
	// (relay, relayed).
	ID string `json:"id,omitempty"`

	Nonce  string   `json:"nonce,omitempty"`  // challenge: 32 hex digits
	Proofs []string `json:"proofs,omitempty"` // proof: base64, one for each secret

	State *MeshState `json:"state,omitempty"` // state
	Want  *MeshWant  `json:"want,omitempty"`  // get
	Found *MeshFound `json:"found,omitempty"` // found; nil if there is nobody
	IDs   []string   `json:"ids,omitempty"`   // found, generation 1

	Error string `json:"error,omitempty"` // relayed: why not
}

// MeshOp is what a mesh message is about.
type MeshOp string

// The ops of a mesh message.
const (
	MeshChallenge MeshOp = "challenge" // of who was dialed
	MeshProof     MeshOp = "proof"     // of who dialed, and the answer
	MeshDenied    MeshOp = "denied"    // the proof is none
	MeshIs        MeshOp = "state"     // what the sender is and has
	MeshGet       MeshOp = "get"       // asks for a candidate
	MeshHas       MeshOp = "found"     // answers that
	MeshRelay     MeshOp = "relay"     // generation 1: asks for a relay to a candidate
	MeshRelayed   MeshOp = "relayed"   // answers that, once the candidate has agreed
)

// MeshState is what a seed tells its siblings of itself whenever it changes.
type MeshState struct {
	Name      string         `json:"name,omitempty"`
	Addresses []string       `json:"addresses,omitempty"` // where clients reach it, URLs
	Relays    []string       `json:"relays,omitempty"`    // where its TURN server has relayed addresses, IP:MIN-MAX
	Peers     int            `json:"peers"`               // connected, siblings aside
	Services  map[string]int `json:"services,omitempty"`  // candidates by generation and transport, as in "v0/webrtc"
	Draining  bool           `json:"draining,omitempty"`
}

// MeshWant is who asks for a candidate, as far as the choice depends on it.
type MeshWant struct {
	Generation int      `json:"generation"`           // 0 or 1
	Count      int      `json:"count,omitempty"`      // generation 1: how many at most
	Transports []string `json:"transports,omitempty"` // generation 0: that it can be offered
	Address    string   `json:"address,omitempty"`    // where it was seen, an IP
	Secure     bool     `json:"secure,omitempty"`     // insecure websockets are of no use to it
	Instance   string   `json:"instance,omitempty"`   // of a node that has one
	Alias      string   `json:"alias,omitempty"`      // generation 0, of a node that has no instance: what the sender calls it
	Exclude    []string `json:"exclude,omitempty"`    // instances and aliases that it has already
	Excludes   bool     `json:"excludes,omitempty"`   // it knows that extension, and what an alias is
	Avoid      string   `json:"avoid,omitempty"`      // generation 0: a network, as in "192.0.2.0/24", that none is to be of
	Seen       []uint64 `json:"seen,omitempty"`       // what it was offered lately of the asked seed's: MeshFound.Candidate
}

// MeshFound is a candidate of generation 0.
type MeshFound struct {
	Candidate uint64          `json:"candidate"` // tells candidates of the seed apart
	Transport string          `json:"transport"`
	Opts      json.RawMessage `json:"opts"`
	Address   string          `json:"address"`
	Network   string          `json:"network,omitempty"` // that it is of, as in MeshWant.Avoid
	Nonce     string          `json:"nonce,omitempty"`   // of the relay; none if it is to be dialed
	Alias     string          `json:"alias,omitempty"`   // what the sender calls it if it has no instance
}

// DecodeMesh decodes V0.Mesh. It is to be called only for a node that is a
// sibling or about to prove that it is one.
func DecodeMesh(message []byte) (*Mesh, error) {
	m := new(Mesh)
	if err := json.Unmarshal(message, m); err != nil {
		return nil, fmt.Errorf("decode mesh: %w", ErrInvalidMessage)
	}
	if len(m.ID) > maxID || len(m.Nonce) > maxID || len(m.Proofs) > maxProofs || len(m.IDs) > maxMeshIDs {
		return nil, fmt.Errorf("decode mesh: %w", ErrInvalidMessage)
	}
	return m, nil
}

// Limits of a mesh message.
const (
	maxProofs  = 16
	maxMeshIDs = 64
)

// AppendMesh appends a mesh message with its line end.
func AppendMesh(dst []byte, m *Mesh) []byte {
	out := *m
	out.Command = V0Mesh.String()
	line, err := json.Marshal(&out)
	if err != nil {
		return dst // Opts that are no JSON: those of a candidate were checked when it announced them.
	}
	return append(append(dst, line...), '\n')
}
