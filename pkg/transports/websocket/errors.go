package websocket

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gorilla/websocket"
)

// ErrPingTimeout says that a connection was closed because nothing came in,
// not even answers to pings.
var ErrPingTimeout = errors.New("websocket: no answer to pings")

// ErrCloseSent says that nothing can be written any more.
var ErrCloseSent = websocket.ErrCloseSent

// ErrReadLimit says that the other side's message was larger than
// Config.MaxMessageBytes.
var ErrReadLimit = websocket.ErrReadLimit

// CloseError is the other side's reason to close (RFC 6455, section 7.4), if it
// is another one than that it is done.
type CloseError = websocket.CloseError

// StatusError says that the other side is an HTTP server which did not answer
// with a websocket. Redirects are not followed, as in the npm package.
type StatusError struct {
	// Code is the HTTP status code, such as 503.
	Code int
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("server answered %d %s, want a websocket", e.Code, http.StatusText(e.Code))
}
