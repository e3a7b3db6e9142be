package websocket

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gorilla/websocket"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
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
// with a websocket. Redirects are not followed, as in the npm package. For 401 it
// is a transport.ErrUnauthorized.
type StatusError struct {
	// Code is the HTTP status code, such as 503.
	Code int
	// Message is what a seed says of it for people; of other servers it is empty.
	// At most 256 bytes of what is in fact anybody's: print it with %q.
	Message string
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("server answered %d %s, want a websocket", e.Code, http.StatusText(e.Code))
	if meant := e.Unwrap(); meant != nil {
		text = fmt.Sprintf("server answered %d: %v", e.Code, meant)
	}
	if e.Message != "" {
		text += fmt.Sprintf(" (it says %q)", e.Message)
	}
	return text
}

// Unwrap returns what the status means to the exchange, or nil.
func (e *StatusError) Unwrap() error {
	if e.Code == http.StatusUnauthorized {
		return transport.ErrUnauthorized
	}
	return nil
}
