package seed

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync/atomic"
)

// turnSecretFile is in the state directory, if the operator names no file.
const turnSecretFile = "turn.secret"

// Bounds of a secret file. Whoever has a credential can try secrets against it
// as long as they please, so a short one is soon found; and each secret is one
// more to try for every credential that is none.
const (
	minTURNSecretBytes = 16
	maxSecrets         = 16
)

// secretFile is a file of secrets, one a line. They may be replaced at any
// time.
type secretFile struct {
	current atomic.Pointer[[][]byte]

	// Static after construction.
	files *watch
}

// loadTURNSecrets reads the file of an operator, or the one in the state
// directory, which is made if it is not there.
func loadTURNSecrets(file, stateDir string, logger *slog.Logger) (*secretFile, error) {
	if file == "" {
		var err error
		if file, err = keepTURNSecret(stateDir); err != nil {
			return nil, fmt.Errorf("keep a TURN secret in the state directory: %w; "+
				"name a directory that can be written to with --state-dir, bring a secret with --turn-secret-file, or turn TURN off with --turn-listen off", err)
		}
	}
	s := new(secretFile)
	var err error
	s.files, err = newWatch("TURN secrets", []string{file}, s.replace, logger)
	if err != nil {
		return nil, fmt.Errorf("read the TURN secrets of %s (--turn-secret-file): %w", file, err)
	}
	return s, nil
}

// keepTURNSecret returns the file with a secret of the seed's own making.
func keepTURNSecret(dir string) (path string, err error) {
	if err := makeStateDir(dir); err != nil {
		return "", err
	}
	path = filepath.Join(dir, turnSecretFile)
	if _, err := readWatched(path); !errors.Is(err, fs.ErrNotExist) {
		return path, nil // what is wrong with it is found by who reads it next
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	line := append(hex.AppendEncode(nil, secret), '\n')
	err = createFile(path, line)
	if err != nil && !errors.Is(err, fs.ErrExist) { // else another seed was faster
		// There are file systems without links.
		err = replaceFile(path, line, 0o600)
		return path, err
	}
	return path, nil
}

// replace takes over what the file holds.
func (s *secretFile) replace(contents [][]byte) error {
	secrets, err := parseSecrets(contents[0], minTURNSecretBytes)
	if err != nil {
		return err
	}
	s.current.Store(&secrets)
	return nil
}

// all returns the secrets, the one for new credentials first.
func (s *secretFile) all() [][]byte { return *s.current.Load() }

// parseSecrets reads secrets, one a line, of at least least bytes. Errors do not
// show them.
func parseSecrets(content []byte, least int) ([][]byte, error) {
	var secrets [][]byte
	number := 0
	for line := range bytes.Lines(content) {
		number++
		secret := bytes.TrimSpace(line)
		switch {
		case len(secret) == 0:
			continue
		case len(secret) < least:
			return nil, fmt.Errorf("the secret in line %d has fewer than %d bytes; `openssl rand -hex 32` makes a good one", number, least)
		case len(secrets) == maxSecrets:
			return nil, fmt.Errorf("there are more than %d secrets", maxSecrets)
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 {
		return nil, errors.New("there is no secret in it; there is to be one a line")
	}
	return secrets, nil
}
