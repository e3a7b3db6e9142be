// Package exchange is a node of a peer-exchange network: peers that know only a
// network ID and one address find each other through it and connect.
//
// An [Exchange] holds the connections of one node to one network. Connect joins
// through a known address, Accept lets others in, GetNewPeer asks a connected
// peer for one more. Every node hands out the peers it knows and passes on their
// signaling, so there is no hub; a seed is just a node that is always there.
// A [Peer] is a net.Conn to another application. [Maintainer] keeps a node
// connected to a number of peers without the application doing anything.
//
// A node that others depend on has more to do. It may take members only
// (Config.Admit), dial candidates back before it offers them
// (Config.VerifyCandidates), hand out ICE servers (Config.ICEServers), carry the
// data of peers that find no way to each other (Config.AllowRelayedData), and be
// one of several seeds that work as one (Config.Mesh). Drain has its peers leave
// for other nodes before it ends, and a Maintainer goes where it is sent.
//
// The wire protocol is that of the npm package peer-exchange. Generation 0
// (npm 0.4.x) is what nodes of this module speak with each other, with
// extensions that older nodes ignore; generation 1 (npm 2.x, "PXP") is spoken
// with whoever starts with it.
package exchange
