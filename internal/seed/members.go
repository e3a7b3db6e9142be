package seed

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// Who may be a peer: values of Config.Access.
const (
	AccessPublic = "public" // everybody
	AccessToken  = "token"  // who presents a token that is good
)

// Why somebody is no member. These and those of jwtKeys are told to whom they
// concern, and none has a token in it.
var (
	errNoToken      = errors.New("no token was presented")
	errUnknownToken = errors.New("the token is not one of this network")
)

// members knows who is a member of the network, where it is not open to everybody.
type members struct {
	// Static after construction.
	network string
	shared  *sharedTokens // nil without --token-file
	secrets *jwtKeys      // nil without --jwt-secret-file
	keys    *jwtKeys      // nil without --jwks-file
	files   []*watch      // of all of these
}

// validateAccess checks the flags that say who may be a peer.
func (c Config) validateAccess() error {
	given := ""
	for _, source := range []struct{ flag, file string }{
		{"--token-file", c.TokenFile}, {"--jwt-secret-file", c.JWTSecretFile}, {"--jwks-file", c.JWKSFile},
	} {
		if source.file != "" {
			given = source.flag
		}
	}
	switch {
	case c.Access != AccessPublic && c.Access != AccessToken:
		return fmt.Errorf("--access: %q is neither %s nor %s", c.Access, AccessPublic, AccessToken)
	case c.Access == AccessToken && given == "":
		return errors.New("--access token needs to know which tokens are good: give --token-file, --jwt-secret-file or --jwks-file, or several of them")
	case c.Access == AccessPublic && given != "":
		return fmt.Errorf("%s is given, but everybody is let in; say --access token to let in who has a token, or leave it out", given)
	}
	return nil
}

// openMembers reads what tells members. It is nil for a network that is open to
// everybody.
func openMembers(cfg Config, logger *slog.Logger) (*members, error) {
	if cfg.Access != AccessToken {
		return nil, nil
	}
	m := &members{network: cfg.NetworkID}
	open := func(flag, what, file string, take func(contents [][]byte) error) error {
		files, err := newWatch(what, []string{file}, take, logger)
		if err != nil {
			return fmt.Errorf("read the %s of %s (%s): %w", what, file, flag, err)
		}
		m.files = append(m.files, files)
		return nil
	}
	if cfg.TokenFile != "" {
		m.shared = new(sharedTokens)
		if err := open("--token-file", "tokens", cfg.TokenFile, m.shared.replace); err != nil {
			return nil, err
		}
	}
	if cfg.JWTSecretFile != "" {
		m.secrets = &jwtKeys{parse: parseJWTSecrets}
		if err := open("--jwt-secret-file", "JWT secrets", cfg.JWTSecretFile, m.secrets.replace); err != nil {
			return nil, err
		}
	}
	if cfg.JWKSFile != "" {
		m.keys = &jwtKeys{parse: parseJWKS}
		if err := open("--jwks-file", "JWT keys", cfg.JWKSFile, m.keys.replace); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// check tells why a token is not good now, nil if it is.
func (m *members) check(token string) error {
	switch {
	case token == "":
		return errNoToken
	case m.shared.has(token):
		return nil
	case m.secrets == nil && m.keys == nil || strings.Count(token, ".") != 2:
		return errUnknownToken
	}
	keys := append(m.secrets.all(), m.keys.all()...)
	return checkJWT(token, keys, m.network, time.Now())
}

// admit is for exchange.Config.Admit. Whose token is not good any more stays
// connected, and gets nothing anew.
func (m *members) admit(given exchange.Credentials) (valid func() bool, err error) {
	if err := m.check(given.Token); err != nil {
		return nil, err
	}
	return func() bool { return m.check(given.Token) == nil }, nil
}
