package check

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

// websocket opens one and closes it again.
func (c *Check) websocket(ctx context.Context) Step {
	if c.target.raw {
		return moot("the URL says %s: no websocket", strings.SplitAfter(c.target.url(), "//")[0])
	}
	conn, err := websocket.New(websocket.Config{}).Dial(ctx, c.target.host, c.options())
	if err != nil {
		return failed(c.websocketHint(err), "%s", c.why(err))
	}
	conn.Close()
	return ok("open")
}

func (c *Check) websocketHint(err error) string {
	var status *websocket.StatusError
	if !errors.As(err, &status) {
		return c.httpHint(err)
	}
	switch status.Code {
	case http.StatusOK, http.StatusNotFound, http.StatusUpgradeRequired:
		return "HTTP is answered and no websocket: a proxy in front of the seed has to pass the headers Upgrade and Connection on, with HTTP/1.1 " +
			"(docs/seed.md, Behind a proxy or load balancer). Or somebody else answers at this port."
	}
	return c.httpHint(&statusError{code: status.Code})
}
