package seed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// DefaultStateDir is where a seed keeps what has to outlast it, if nobody says
// otherwise: the directory that systemd made for it (StateDirectory=),
// /var/lib/peerexchange for root, and else peerexchange in $XDG_STATE_HOME,
// which is ~/.local/state unless set (XDG Base Directory Specification). It is
// empty if there is none of these.
func DefaultStateDir() string {
	const name = "peerexchange"
	if dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":"); dir != "" {
		return dir
	}
	if os.Geteuid() == 0 {
		return filepath.Join("/var/lib", name)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, name)
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "state", name)
	}
	return ""
}

// makeStateDir makes the directory, for this user only.
func makeStateDir(dir string) error {
	if dir == "" {
		return fmt.Errorf("there is no home directory to keep it in")
	}
	return os.MkdirAll(dir, 0o700)
}

// createFile writes a file that is not there yet, all of it or nothing. Of two
// programs that do so at the same time one gets os.ErrExist.
func createFile(path string, data []byte) error {
	temporary, err := writeTemporary(path, data, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	return os.Link(temporary, path)
}

// replaceFile writes a file, all of it or nothing.
func replaceFile(path string, data []byte, mode os.FileMode) error {
	temporary, err := writeTemporary(path, data, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

// writeTemporary writes a file beside path and returns its name.
func writeTemporary(path string, data []byte, mode os.FileMode) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return "", err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return "", err
	}
	if err := f.Chmod(mode); err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
}
