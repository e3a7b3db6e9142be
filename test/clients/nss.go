package clients

import (
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// trustIn makes a home directory in which Chromium trusts the authorities of a
// PEM file: it knows those of the user's NSS database, and reads none from its
// environment.
func trustIn(home, caFile string) error {
	if _, err := exec.LookPath("certutil"); err != nil {
		return fmt.Errorf("%w: apt-get install libnss3-tools", err)
	}
	database := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(database, 0o700); err != nil {
		return err
	}
	certutil := func(args ...string) error {
		if out, err := exec.Command("certutil", append([]string{"-d", "sql:" + database}, args...)...).CombinedOutput(); err != nil {
			return fmt.Errorf("certutil %v: %w\n%s", args, err, out)
		}
		return nil
	}
	if err := certutil("-N", "--empty-password"); err != nil {
		return err
	}
	rest, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	// It takes one certificate of a file.
	for i := 1; ; i++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil
		}
		file := filepath.Join(home, fmt.Sprintf("authority-%d.pem", i))
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
		if err := certutil("-A", "-n", filepath.Base(file), "-t", "C,,", "-i", file); err != nil {
			return err
		}
	}
}
