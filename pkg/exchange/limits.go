package exchange

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// Unlimited takes a limit away. For limits that are durations, use it as
// time.Duration(Unlimited).
const Unlimited = -1

// Limits bound what others can make a node spend. Zero means the default,
// [Unlimited] (or any negative value) no limit. What exceeds one is refused or
// disconnected, and counted in [Stats.Refused] under the limit's name.
type Limits struct {
	// HandshakeTime is how long a connection may take from its first byte to a
	// ready peer. Default 10 s.
	HandshakeTime time.Duration
	// ControlMessageBytes is the longest line on the control channel. Default 64 KiB.
	ControlMessageBytes int
	// ChannelNameBytes is the longest multiplex channel name. Default 512.
	ChannelNameBytes int
	// ChannelsPerPeer is how many multiplex channels a connection may have at a
	// time, relays included. Default 128.
	ChannelsPerPeer int
	// OutboundQueueBytes is how much may wait to be sent to a peer that does not
	// read, besides application data, whose writers wait. Default 256 KiB.
	OutboundQueueBytes int
	// ReceiveBufferBytes is how much application data of a peer is held for a
	// reader. Peers of this module are told so as their window and send no more;
	// the connections of others stop being read. Default 1 MiB, at least 4 KiB.
	ReceiveBufferBytes int
	// Peers is how many connections others may have to this node. Default 10,000.
	Peers int
	// PeersPerIP is how many of them may come from one IPv4 address or one IPv6
	// /64, those included whose connections a peer there carries; see
	// Config.AllowRelayedData. Default 128.
	PeersPerIP int
	// MessagesPerSecond is how many messages a peer may send on its control channel,
	// whatever they say, with bursts of five seconds' worth. What exceeds it is not
	// lost: nothing more is read from the peer until it is due. Credit for application
	// data does not count, nor do siblings. A node sends one or two for each
	// connection that it makes or takes, and a ping now and then. Default 100.
	MessagesPerSecond int
	// GetPeerPerSecond is how often a peer may ask for peers, with bursts of
	// five seconds' worth. What exceeds it is refused, and nothing more is read from the
	// peer for as long as one request takes at that rate. Default 10.
	GetPeerPerSecond int
	// CandidateTime is how long an id handed out to a peer of generation 1 is
	// good for. Default 15 s (pxp, lib/peer.js).
	CandidateTime time.Duration
	// RelaysPerPeer is how many signaling relays a peer may have open at a time,
	// counting those it asked for and those it is the candidate of. Of these, half at
	// most are for who is at one IPv4 address or IPv6 /64. Default 64, since npm nodes
	// keep each for RelayTime.
	RelaysPerPeer int
	// Negotiations is how many connections may be negotiated at a time that others
	// ask this node for, over a transport that it accepts such as webrtc. They count
	// from when this node is told until there is a connection, or none, and for a second
	// at least. Default 1,024.
	Negotiations int
	// NegotiationsPerIP is how many of them the peers at one IPv4 address or one IPv6
	// /64 may have brought, siblings too. Default 64, as many as one peer has relays.
	NegotiationsPerIP int
	// RelayTime is how long a signaling relay stays open. Default 30 s (npm
	// 0.4.1, src/peer.js).
	RelayTime time.Duration
	// RelayBytesPerSecond is how fast a relay passes bytes on in each direction,
	// after a first burst of 64 KiB. Default 50,000 (pxp, lib/peer.js).
	RelayBytesPerSecond int
	// RelayBytes is how much a relay passes on in each direction in all. Default 1 MiB.
	RelayBytes int
	// SignalBytes is the longest line in a signaling relay. The longest that is known
	// is an SDP offer, of a KiB, or of a few with all candidates in it. Default 16 KiB.
	SignalBytes int
	// HeldSignalBytes is how much memory the signals may take that wait in relays: for
	// the rest of their line, or for the description that is to go before them. Whoever
	// sends what exceeds it loses the relay. Default 32 MiB.
	HeldSignalBytes int
	// HeldSignalBytesPerIP is how much of it may be what comes from one IPv4 address
	// or IPv6 /64. Siblings are not counted by address. Default 1 MiB.
	HeldSignalBytesPerIP int
	// CheckTime is how long a candidate may take to answer when it is checked; see
	// Config.VerifyCandidates. Default 10 s.
	CheckTime time.Duration
	// Checks is how many candidates are checked at a time. Others wait, as they do
	// for the limits that follow. Default 32.
	Checks int
	// ChecksPerSecond is how many checks are begun a second. Default 50.
	ChecksPerSecond int
	// ChecksPerPeer is how many a minute are those of what one peer announces.
	// Default 12.
	ChecksPerPeer int
	// ChecksPerIP is how many a minute go to one IPv4 address or one IPv6 /64.
	// Default 60.
	ChecksPerIP int
	// ChecksPerNetwork is how many a minute go to one IPv4 /24 or one IPv6 /48.
	// Default 240.
	ChecksPerNetwork int
	// CheckedPortsPerIP is how many different ports of one IPv4 address or one IPv6
	// /64 are dialed in an hour. Default 128.
	CheckedPortsPerIP int
	// Siblings is how many seeds this one may be linked with; see Config.Mesh. Default 64.
	Siblings int
	// RelaysPerSibling is how many signaling relays may pass through a sibling at a
	// time. Default 4,096.
	RelaysPerSibling int
	// Forwards is how many requests for a peer may wait for siblings' answers. What
	// exceeds it is answered at once. Default 1,024.
	Forwards int
	// RelayDataEnds is how many ends of data relays there may be, two for each
	// relay. Default 512.
	RelayDataEnds int
	// RelayDataEndsPerIP is how many of them may be at one IPv4 address or IPv6 /64.
	// Default 16.
	RelayDataEndsPerIP int
	// RelayDataBytesPerSecond is how fast the connection of two peers that find no
	// other way passes through this node in each direction; see
	// Config.AllowRelayedData. Enough to talk, not to watch. Default 16 KiB.
	RelayDataBytesPerSecond int
	// RelayDataBytes is how much of it passes in each direction in all. Default 8 MiB.
	RelayDataBytes int
	// RelayDataTime is how long it stands. Default 1 h.
	RelayDataTime time.Duration
	// IdleTime is how long a peer may be silent. Default Unlimited: an npm client
	// with nothing to say says nothing, and dead connections are found by the
	// keepalive of tcp and websocket and by the ping of newer nodes.
	IdleTime time.Duration
}

// limit describes one field of Limits for everything that treats them alike.
type limit struct {
	name     string // as in --limit NAME=VALUE and in Stats.Refused
	help     string // what it bounds, in a line of a help text
	unit     unit
	fallback int64 // the default
	least    int64 // the smallest value that works
	load     bool  // a rate or a count, which "all=unlimited" takes away
	field    func(*Limits) any
}

type unit int

const (
	count unit = iota
	bytes
	duration
)

// limits lists every field of Limits once, in the order of the struct.
var limits = []limit{
	{"handshake-time", "from the first byte of a connection to a ready peer", duration, int64(10 * time.Second), int64(time.Millisecond), false, func(l *Limits) any { return &l.HandshakeTime }},
	{"control-message-bytes", "one line of the control channel", bytes, 64 << 10, 1 << 10, false, func(l *Limits) any { return &l.ControlMessageBytes }},
	{"channel-name-bytes", "one multiplex channel name", bytes, 512, 64, false, func(l *Limits) any { return &l.ChannelNameBytes }},
	{"channels-per-peer", "multiplex channels of a connection, relays included", count, 128, 3, true, func(l *Limits) any { return &l.ChannelsPerPeer }},
	{"outbound-queue-bytes", "what waits for a peer that does not read", bytes, 256 << 10, 4 << 10, false, func(l *Limits) any { return &l.OutboundQueueBytes }},
	{"receive-buffer-bytes", "application data of a peer that waits to be read", bytes, 1 << 20, 4 << 10, false, func(l *Limits) any { return &l.ReceiveBufferBytes }},
	{"peers", "connections in total", count, 10_000, 1, true, func(l *Limits) any { return &l.Peers }},
	{"peers-per-ip", "connections from one IPv4 address or IPv6 /64", count, 128, 1, true, func(l *Limits) any { return &l.PeersPerIP }},
	{"messages-per-second", "control messages a second, for each peer", count, 100, 1, true, func(l *Limits) any { return &l.MessagesPerSecond }},
	{"getpeer-per-second", "requests for a peer a second, for each peer", count, 10, 1, true, func(l *Limits) any { return &l.GetPeerPerSecond }},
	{"candidate-time", "how long a candidate of generation 1 may be asked for", duration, int64(15 * time.Second), int64(time.Millisecond), false, func(l *Limits) any { return &l.CandidateTime }},
	{"relays-per-peer", "signaling relays of a peer at a time", count, 64, 1, true, func(l *Limits) any { return &l.RelaysPerPeer }},
	{"negotiations", "connections negotiated at a time because others ask", count, 1024, 1, true, func(l *Limits) any { return &l.Negotiations }},
	{"negotiations-per-ip", "those brought from one IPv4 address or IPv6 /64", count, 64, 1, true, func(l *Limits) any { return &l.NegotiationsPerIP }},
	{"relay-time", "how long a signaling relay stays open", duration, int64(30 * time.Second), int64(time.Millisecond), false, func(l *Limits) any { return &l.RelayTime }},
	{"relay-bytes-per-second", "rate of a signaling relay in each direction", bytes, 50_000, 1, true, func(l *Limits) any { return &l.RelayBytesPerSecond }},
	{"relay-bytes", "total of a signaling relay in each direction", bytes, 1 << 20, 1, true, func(l *Limits) any { return &l.RelayBytes }},
	{"signal-bytes", "one line of a signaling relay", bytes, 16 << 10, 4 << 10, false, func(l *Limits) any { return &l.SignalBytes }},
	{"held-signal-bytes", "signals that wait in relays, in total", bytes, 32 << 20, 64 << 10, true, func(l *Limits) any { return &l.HeldSignalBytes }},
	{"held-signal-bytes-per-ip", "those from one IPv4 address or IPv6 /64", bytes, 1 << 20, 64 << 10, true, func(l *Limits) any { return &l.HeldSignalBytesPerIP }},
	{"check-time", "how long a candidate takes to answer when it is checked", duration, int64(10 * time.Second), int64(time.Millisecond), false, func(l *Limits) any { return &l.CheckTime }},
	{"checks", "candidates that are checked at a time", count, 32, 1, true, func(l *Limits) any { return &l.Checks }},
	{"checks-per-second", "checks of candidates a second", count, 50, 1, true, func(l *Limits) any { return &l.ChecksPerSecond }},
	{"checks-per-peer", "checks a minute of what one peer announces", count, 12, 1, true, func(l *Limits) any { return &l.ChecksPerPeer }},
	{"checks-per-ip", "checks a minute at one IPv4 address or IPv6 /64", count, 60, 1, true, func(l *Limits) any { return &l.ChecksPerIP }},
	{"checks-per-network", "checks a minute in one IPv4 /24 or IPv6 /48", count, 240, 1, true, func(l *Limits) any { return &l.ChecksPerNetwork }},
	{"checked-ports-per-ip", "ports of an IPv4 address or IPv6 /64 checked in an hour", count, 128, 1, true, func(l *Limits) any { return &l.CheckedPortsPerIP }},
	{"siblings", "seeds of the network that this one is linked with", count, 64, 1, true, func(l *Limits) any { return &l.Siblings }},
	{"relays-per-sibling", "signaling relays that pass through a sibling at a time", count, 4096, 1, true, func(l *Limits) any { return &l.RelaysPerSibling }},
	{"forwards", "requests for a peer that wait for siblings", count, 1024, 1, true, func(l *Limits) any { return &l.Forwards }},
	{"relay-data-ends", "ends of relays with data, two for each", count, 512, 2, true, func(l *Limits) any { return &l.RelayDataEnds }},
	{"relay-data-ends-per-ip", "those of one IPv4 address or IPv6 /64", count, 16, 1, true, func(l *Limits) any { return &l.RelayDataEndsPerIP }},
	{"relay-data-bytes-per-second", "rate of data through a relay, each way", bytes, 16 << 10, 1 << 10, true, func(l *Limits) any { return &l.RelayDataBytesPerSecond }},
	{"relay-data-bytes", "total of data through a relay, each way", bytes, 8 << 20, 1 << 10, true, func(l *Limits) any { return &l.RelayDataBytes }},
	{"relay-data-time", "how long data goes through a relay", duration, int64(time.Hour), int64(time.Second), false, func(l *Limits) any { return &l.RelayDataTime }},
	{"idle-time", "how long a peer may be silent", duration, Unlimited, int64(time.Second), false, func(l *Limits) any { return &l.IdleTime }},
}

// LimitNames returns the names that [Limits.Set] takes, in a fixed order.
func LimitNames() []string {
	names := make([]string, len(limits))
	for i, l := range limits {
		names[i] = l.name
	}
	return names
}

// DefaultLimits returns what zero Limits mean.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

// LimitHelp returns one line on what the limit of that name bounds, for help
// texts. It is empty for an unknown name.
func LimitHelp(name string) string {
	for _, limit := range limits {
		if limit.name == name {
			return limit.help
		}
	}
	return ""
}

// Set changes the limit of that name, such as "peers-per-ip". The value is a
// whole number, for bytes also "64KiB" or "1MB", for times a Go duration such as
// "30s", or "unlimited". The name "all" with the value "unlimited" takes away
// every rate and count limit, for load tests, and keeps sizes and lifetimes.
func (l *Limits) Set(name, value string) error {
	if name == "all" {
		if value != "unlimited" {
			return fmt.Errorf("limit all=%s: the only value for all is unlimited", value)
		}
		for _, limit := range limits {
			if limit.load {
				limit.set(l, Unlimited)
			}
		}
		return nil
	}
	i := slices.IndexFunc(limits, func(limit limit) bool { return limit.name == name })
	if i < 0 {
		return fmt.Errorf("unknown limit %q; the limits are all, %s", name, strings.Join(LimitNames(), ", "))
	}
	v, err := limits[i].parse(value)
	if err != nil {
		return err
	}
	limits[i].set(l, v)
	return nil
}

// Get returns a limit's value as Set takes it.
func (l *Limits) Get(name string) string {
	for _, limit := range limits {
		if limit.name != name {
			continue
		}
		v := limit.get(l)
		switch {
		case v < 0:
			return "unlimited"
		case limit.unit == duration:
			return time.Duration(v).String()
		default:
			return strconv.FormatInt(v, 10)
		}
	}
	return ""
}

func (l limit) parse(value string) (int64, error) {
	if value == "unlimited" {
		return Unlimited, nil
	}
	var v int64
	var err error
	switch l.unit {
	case duration:
		var d time.Duration
		d, err = time.ParseDuration(value)
		v = int64(d)
	case bytes:
		var b uint64
		b, err = humanize.ParseBytes(value)
		v = int64(min(b, math.MaxInt64))
	default:
		v, err = strconv.ParseInt(value, 10, 64)
	}
	if err != nil {
		return 0, fmt.Errorf("limit %s=%s: want %s or unlimited", l.name, value, [...]string{"a whole number", "a size such as 64KiB", "a time such as 30s"}[l.unit])
	}
	return v, l.check(v)
}

func (l limit) check(v int64) error {
	if v >= l.least {
		if l.unit == duration || v <= math.MaxInt32 {
			return nil
		}
		return fmt.Errorf("limit %s=%d: the largest value is %d; say unlimited for no limit", l.name, v, math.MaxInt32)
	}
	least := strconv.FormatInt(l.least, 10)
	if l.unit == duration {
		least = time.Duration(l.least).String()
	}
	return fmt.Errorf("limit %s: the smallest value is %s", l.name, least)
}

func (l limit) get(limits *Limits) int64 {
	switch field := l.field(limits).(type) {
	case *time.Duration:
		return int64(*field)
	case *int:
		return int64(*field)
	default:
		panic("exchange: limit " + l.name + " has a type of its own")
	}
}

func (l limit) set(limits *Limits, v int64) {
	switch field := l.field(limits).(type) {
	case *time.Duration:
		*field = time.Duration(v)
	case *int:
		*field = int(v)
	}
}

// withDefaults replaces zeros by defaults.
func (l Limits) withDefaults() Limits {
	for _, limit := range limits {
		if limit.get(&l) == 0 {
			limit.set(&l, limit.fallback)
		}
	}
	return l
}

func (l Limits) validate() error {
	for _, limit := range limits {
		if v := limit.get(&l); v >= 0 {
			if err := limit.check(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// lineBytes is ControlMessageBytes for who takes no negative limit.
func (l Limits) lineBytes() int { return orMax(l.ControlMessageBytes) }

// signalBytes is SignalBytes for who takes no negative limit.
func (l Limits) signalBytes() int { return orMax(l.SignalBytes) }

func orMax(limit int) int {
	if limit < 0 {
		return math.MaxInt32
	}
	return limit
}

// window is how much application data a peer may send before it is granted more.
func (l Limits) window() int {
	if l.ReceiveBufferBytes < 0 {
		return maxWindow
	}
	return l.ReceiveBufferBytes
}

// within tells whether n is inside a limit.
func within(n, limit int) bool { return limit < 0 || n <= limit }
