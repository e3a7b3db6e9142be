package exchange

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
	"github.com/peerexchange/peerexchange/pkg/transports"
)

// How a link begins. Whoever dials says so in hello, with a nonce, and no node
// becomes a peer on such a connection before both have proved that they know a
// secret of the mesh:
//
//	dialer    hello, with ext.mesh = its nonce
//	acceptor  hello, and a challenge: its nonce
//	dialer    proofs, and helloack
//	acceptor  a proof, and helloack: the link stands on its side
//	dialer    the link stands
//
// A proof is an HMAC by a secret of who says it, of both nonces, which makes it
// good for this connection only, of both instances and the network, and of what
// is known to the two ends of the TLS session and to nobody in the middle. The
// dialer proves first: it has chosen whom it talks to, and the acceptor has not.

// meshProof is one side's state of that.
type meshProof struct {
	// Owned by the read loop.
	nonces [2]string // the dialer's and the acceptor's
	proved bool      // the other side has
}

// Who says a proof.
const (
	byDialer   = "dialer"
	byAcceptor = "acceptor"
)

// linkLabel makes what is known of a TLS session by its two ends only (RFC 8446
// section 7.5).
const linkLabel = "EXPORTER-peerexchange-mesh"

// boundTo is what a proof on a connection is bound to: nothing without TLS.
func boundTo(conn net.Conn) ([]byte, error) {
	secure, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return nil, nil
	}
	state := secure.ConnectionState()
	if !state.HandshakeComplete {
		return nil, nil
	}
	return state.ExportKeyingMaterial(linkLabel, nil, 32)
}

// proof makes a proof for this connection.
func (v *v0) proof(by string, secret []byte) (string, error) {
	bound, err := boundTo(v.p.conn)
	if err != nil {
		return "", fmt.Errorf("bind the link to its TLS session: %w", err)
	}
	p := v.p
	dialer, acceptor := p.ex.instance, p.Instance()
	if !p.outgoing {
		dialer, acceptor = acceptor, dialer
	}
	return proofOf(by, secret, p.ex.id, dialer, acceptor, v.meshing.nonces[0], v.meshing.nonces[1], string(bound)), nil
}

// proofOf is the proof of what parts are about. None of them runs into the next.
func proofOf(by string, secret []byte, parts ...string) string {
	mac := hmac.New(sha256.New, secret)
	for _, part := range append([]string{"peerexchange mesh 1", by}, parts...) {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}

// meets tells whether a connection is to become a link, and if this side was
// dialed, challenges the other. A node that says so has to go through with it.
func (v *v0) meets(h *wire.Hello) (bool, error) {
	p := v.p
	switch {
	case p.links && !p.knows(featureMesh):
		return false, fmt.Errorf("%w: the other node is in no mesh; every seed is to be given the mesh secret", ErrMeshSecret)
	case p.links && p.Instance() == "":
		return false, fmt.Errorf("%w: a sibling without an instance", ErrProtocol)
	case p.links && p.outgoing:
		return true, nil
	case p.links:
		v.meshing = &meshProof{nonces: [2]string{h.Ext.Mesh, newID()}}
		return true, v.say(&wire.Mesh{Op: wire.MeshChallenge, Nonce: v.meshing.nonces[1]})
	case p.expected:
		return false, fmt.Errorf("%w: nobody but siblings is taken from this address any more", ErrLimit)
	}
	return false, nil
}

// wantsLink tells whether whoever dialed wants to be a sibling.
func (p *Peer) wantsLink(h *wire.Hello) bool {
	return !p.outgoing && p.ex.mesh != nil && p.transport == transports.TCP && h.Ext != nil && h.Ext.Mesh != ""
}

func (v *v0) say(m *wire.Mesh) error { return v.send(wire.AppendMesh(nil, m)) }

// onMesh takes a message between seeds. Strangers' are like any command that is
// not known.
func (v *v0) onMesh(raw []byte) error {
	link := v.p.sibling.Load()
	if link == nil && v.meshing == nil {
		return nil
	}
	m, err := wire.DecodeMesh(raw)
	if err != nil {
		return err
	}
	if link != nil {
		return link.take(m)
	}
	switch {
	case !v.helloSeen:
		return fmt.Errorf("%w: %s before hello", ErrProtocol, m.Op)
	case m.Op == wire.MeshChallenge && v.p.outgoing && v.meshing.nonces[1] == "":
		return v.onChallenge(m)
	case m.Op == wire.MeshProof && !v.meshing.proved && v.meshing.nonces[1] != "":
		return v.onProof(m)
	case m.Op == wire.MeshDenied && v.p.outgoing:
		return fmt.Errorf("%w: the other seed has none of this one's secrets, or a proxy between them speaks TLS in their place", ErrMeshSecret)
	}
	return fmt.Errorf("%w: %.32q while a link begins", ErrProtocol, m.Op)
}

// onChallenge is the dialer's: it proves all secrets, since it does not know
// which ones the acceptor has.
func (v *v0) onChallenge(m *wire.Mesh) error {
	if len(m.Nonce) != len(v.meshing.nonces[0]) {
		return fmt.Errorf("%w: challenge", ErrProtocol)
	}
	v.meshing.nonces[1] = m.Nonce
	answer := &wire.Mesh{Op: wire.MeshProof}
	for _, secret := range v.p.ex.mesh.config.Secrets() {
		proof, err := v.proof(byDialer, secret)
		if err != nil {
			return err
		}
		answer.Proofs = append(answer.Proofs, proof)
	}
	return v.say(answer)
}

func (v *v0) onProof(m *wire.Mesh) error {
	p := v.p
	by := byDialer
	if p.outgoing {
		by = byAcceptor
	}
	secret, err := v.proven(by, m.Proofs)
	if err != nil {
		return err
	}
	if secret == nil {
		if !p.outgoing {
			v.send(wire.AppendMesh(nil, &wire.Mesh{Op: wire.MeshDenied}))
		}
		p.dismiss(fmt.Errorf("%w: the secrets differ, or a proxy between the seeds speaks TLS in their place", ErrMeshSecret))
		return nil
	}
	if err := p.ex.identifySibling(p, secret); err != nil {
		return err
	}
	v.meshing.proved = true
	if p.outgoing {
		return v.maybeReady()
	}
	proof, err := v.proof(byAcceptor, secret)
	if err != nil {
		return err
	}
	if err := v.say(&wire.Mesh{Op: wire.MeshProof, Proofs: []string{proof}}); err != nil {
		return err
	}
	if err := v.send(wire.AppendHelloAck(nil)); err != nil {
		return err
	}
	return v.maybeReady()
}

// proven returns the secret that one of the proofs is made with, or nil.
func (v *v0) proven(by string, proofs []string) ([]byte, error) {
	for _, secret := range v.p.ex.mesh.config.Secrets() {
		want, err := v.proof(by, secret)
		if err != nil {
			return nil, err
		}
		for _, proof := range proofs {
			if hmac.Equal([]byte(proof), []byte(want)) {
				return secret, nil
			}
		}
	}
	return nil, nil
}
