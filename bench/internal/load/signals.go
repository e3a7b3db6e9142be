package load

import (
	_ "embed"
	"strings"
)

const relayPrefix = "relay:"

// What the two sides of one introduction signal to each other, as simple-peer 6.4.4 did between two npm peers over a npm
// seed: the offer or answer, then its candidates, one line each.
var (
	//go:embed recorded/offer.ndjson
	recordedOffer string
	//go:embed recorded/answer.ndjson
	recordedAnswer string

	offer  = strings.SplitAfter(strings.TrimSuffix(recordedOffer, "\n"), "\n")
	answer = strings.SplitAfter(strings.TrimSuffix(recordedAnswer, "\n"), "\n")
)

func init() {
	// SplitAfter keeps the separator of all lines but the last, which had its own cut off.
	offer[len(offer)-1] += "\n"
	answer[len(answer)-1] += "\n"
}

// signalAll opens a channel called name and sends the lines on it, each a frame of its own as simple-peer's signals are.
func (c *client) signalAll(name string, lines []string) {
	id := c.nextID
	c.nextID++
	c.out = appendFrame(c.out, c.key, id, frameOpen, name)
	for _, line := range lines {
		c.out = appendFrame(c.out, c.key, id, frameData, line)
	}
}
