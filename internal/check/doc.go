// Package check tries a seed as a stranger does, one step after the other, and
// tells what works and what to look at where something does not.
//
// A [Check] has a fixed list of steps, from the name in DNS to a WebRTC connection
// that is relayed by TURN. Each is in the file named after it, and returns a
// [Step]. A step needs others: if one of these failed, it is not tried and says
// so. What a step finds out for those after it, such as the network ID or the TURN
// servers, it leaves in the Check.
//
// Nothing here disturbs the network. The nodes that are to be introduced to each
// other offer and know a transport of their own, whose name is drawn at random
// ([courier]), so that the seed has nobody else to offer them, and offers them to
// nobody else. Other peers' addresses are asked for and not dialed.
package check
