package check

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
)

// maxReason is how much of an error is shown, some of which others may have sent.
const maxReason = 300

// reason is an error in one line, without what the reader knows already.
func reason(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the method and the address
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return printable(text)
}

// printable replaces what would do something to a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
