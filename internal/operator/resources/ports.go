package resources

import (
	"slices"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Names of a seed's ports, in its pod and in its Services.
const (
	PortTLS     = "tls"
	PortPlain   = "plain"
	PortTURN    = "turn"     // TCP
	PortTURNUDP = "turn-udp" // STUN too
	portAdmin   = "admin"
)

// Ports that a seed listens on in its pod.
const (
	podPortTLS   = 8443
	podPortPlain = 8080
	podPortTURN  = 3478
	AdminPort    = 9090
)

// HasPlain tells whether the seeds have a port without TLS.
func HasPlain(n *v1.PeerNetwork) bool {
	return slices.ContainsFunc(n.Spec.Transports, func(s v1.TransportScheme) bool { return !s.Secure() })
}

// HasTURN tells whether the seeds relay.
func HasTURN(n *v1.PeerNetwork) bool { return n.Spec.TURN.Enabled == nil || *n.Spec.TURN.Enabled }

// HasServices tells whether each seed has a Service of its own.
func HasServices(n *v1.PeerNetwork) bool {
	switch n.Spec.Exposure.Type {
	case v1.ExposeNodePort, v1.ExposeLoadBalancer:
		return true
	}
	return n.Spec.Exposure.Domain != ""
}

// ClientPort is the port at which clients reach a port of the seed, by its name. It
// is not for NodePort, where the cluster chooses.
func ClientPort(n *v1.PeerNetwork, name string) int32 {
	exposure := n.Spec.Exposure
	direct := exposure.Type == v1.ExposeHostPort || exposure.Type == v1.ExposeClusterIP && exposure.Domain == ""
	switch name {
	case PortTLS:
		return firstPort(exposure.Port, direct, podPortTLS, 443)
	case PortPlain:
		return firstPort(exposure.PlainPort, direct, podPortPlain, 80)
	}
	return podPortTURN
}

// firstPort is the one that was asked for, or else the seed's own where clients come
// to it directly, or else the usual one.
func firstPort(asked int32, direct bool, own, usual int32) int32 {
	switch {
	case asked != 0:
		return asked
	case direct:
		return own
	}
	return usual
}
