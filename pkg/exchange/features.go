package exchange

import "slices"

// The extensions of the protocol, each used between two nodes that both announced it.
const (
	featureAddresses = "addresses" // hello has where a node is publicly reached
	featureExclude   = "exclude"   // getPeer names what is connected already, by its instance or its alias
	featureGoAway    = "goaway"    // goaway tells where to go instead
	featureICE       = "ice"       // ICE servers are handed out, or used
	featureMesh      = "mesh"      // it is a seed that may have siblings
	featurePing      = "ping"      // ping is answered with pong
	featureRefusal   = "refusal"   // a node that is turned away is told why
	featureRelayed   = "relayed"   // a relay carries the connection if its negotiation fails
	featureWindow    = "window"    // application data is sent on credit
)

// features are the protocol extensions that a node knows, as announced in hello.
func (c Config) features() []string {
	features := []string{featureAddresses, featureExclude, featureGoAway, featurePing, featureRefusal, featureWindow}
	if c.ICEServers != nil || len(iceUsers(c.Transports)) > 0 {
		features = append(features, featureICE)
	}
	if c.Mesh != nil {
		features = append(features, featureMesh)
	}
	if c.AllowRelayedData {
		features = append(features, featureRelayed)
	}
	slices.Sort(features)
	return features
}

// has tells whether both nodes announced a feature.
func (h hello) has(feature string) bool { return slices.Contains(h.features, feature) }

// knows is has for a caller that does not hold Exchange.mu.
func (p *Peer) knows(feature string) bool {
	p.ex.mu.Lock()
	defer p.ex.mu.Unlock()
	return p.hello.has(feature)
}
