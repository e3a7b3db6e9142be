package seed

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync/atomic"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

// minTokenBytes is that of a shared token: whoever guesses one is in.
const minTokenBytes = 16

// sharedTokens are tokens that all members have, of which each is good. They may
// be replaced at any time.
type sharedTokens struct {
	digests atomic.Pointer[[][sha256.Size]byte]
}

// replace takes over what the file holds.
func (s *sharedTokens) replace(contents [][]byte) error {
	tokens, err := parseSecrets(contents[0], minTokenBytes)
	if err != nil {
		return err
	}
	digests := make([][sha256.Size]byte, len(tokens))
	for i, token := range tokens {
		// What nobody can present is a mistake in the file.
		if len(token) > transports.MaxTokenBytes || bytes.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("token %d of the file is longer than %d bytes or has other characters than printable ASCII without spaces; "+
				"`openssl rand -hex 32` makes a good one", i+1, transports.MaxTokenBytes)
		}
		digests[i] = sha256.Sum256(token)
	}
	s.digests.Store(&digests)
	return nil
}

// has tells whether a token is one of them, in the same time whatever it is. A
// nil set has none.
func (s *sharedTokens) has(token string) bool {
	if s == nil {
		return false
	}
	digest := sha256.Sum256([]byte(token))
	found := 0
	for _, one := range *s.digests.Load() {
		found |= subtle.ConstantTimeCompare(digest[:], one[:])
	}
	return found == 1
}
