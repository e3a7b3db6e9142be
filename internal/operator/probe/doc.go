// Package probe asks seeds what they are, at their private port, and reaches them as
// clients do: at every address that is about to be published, with the certificates that
// clients trust, up to the exchange's handshake, and at their STUN and TURN server by
// UDP, TCP and TLS.
package probe
