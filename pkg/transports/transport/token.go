package transport

import "errors"

// MaxTokenBytes bounds a token, on the wire and in [Options]. A JSON Web Token
// signed with a large RSA key has about a thousand bytes.
const MaxTokenBytes = 4096

// ErrUnauthorized says that the other node takes members only, and that the token
// that was presented, if any, is none of theirs. Errors of transports wrap it where
// the other side has said so.
var ErrUnauthorized = errors.New("unauthorized: the node takes only members, who present a token")

// Bearer is implemented by an accepted connection that may have been asked for
// with a token.
type Bearer interface {
	// Token is what was presented, at most MaxTokenBytes, or empty. Nobody has
	// looked whether it is good.
	Token() string
}
