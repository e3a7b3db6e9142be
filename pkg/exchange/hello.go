package exchange

import (
	"slices"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

// hello is what the other node said of itself.
type hello struct {
	agent      string
	instance   string   // empty for npm nodes
	features   []string // those that this node knows too
	window     int      // bytes of application data it takes before it grants more
	transports []string // that it can dial; generation 0 only
}

const maxWindow = 1 << 30

// readHello takes from a hello what is of use, and holds no more of it than that.
func readHello(h *wire.Hello, features []string) hello {
	about := hello{}
	for _, t := range h.Transports[:min(len(h.Transports), maxAnnouncedTransports)] {
		if len(t) <= maxTransportNameBytes {
			about.transports = append(about.transports, t)
		}
	}
	ext := h.Ext
	if ext == nil {
		return about
	}
	about.agent = printable(ext.Agent)
	if len(ext.Instance) == 32 {
		about.instance = ext.Instance
	}
	for _, f := range features {
		if slices.Contains(ext.Features, f) {
			about.features = append(about.features, f)
		}
	}
	about.window = min(max(ext.Window, 0), maxWindow)
	if about.agent == "" {
		about.agent = "unnamed"
	}
	return about
}

// printable cuts what a stranger calls itself to something that can be logged.
func printable(s string) string {
	b := []byte(s[:min(len(s), 64)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
