package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// The receiver speaks first, with a line that has the code. The sender answers
// with a header, a line of JSON; the file's bytes; and a line with their
// SHA-256. The receiver ends with a line that is "ok", or says what went wrong.
// The code serves to meet, in a network of many; it is no secret.

const (
	greeting  = "filetransfer "
	introTime = 10 * time.Second // for the lines that tell who is who
	maxLine   = 4 << 10
	done      = "ok"
)

// header is what the receiver is told of a file.
type header struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

func send(p *exchange.Peer, code, path string) error {
	p.SetReadDeadline(time.Now().Add(introTime))
	answers := bufio.NewReaderSize(p, maxLine)
	if line, err := readLine(answers); err != nil || line != greeting+code {
		return errStranger
	}
	p.SetReadDeadline(time.Time{})

	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if err := json.NewEncoder(p).Encode(header{info.Name(), info.Size()}); err != nil {
		return err
	}
	progress := newProgress("sent", info.Size())
	if _, err := io.CopyN(io.MultiWriter(p, progress), file, info.Size()); err != nil {
		return fmt.Errorf("send %s: %w", path, err)
	}
	if _, err := fmt.Fprintln(p, progress.sum()); err != nil {
		return fmt.Errorf("send %s: %w", path, err)
	}
	switch answer, err := readLine(answers); {
	case err != nil:
		return fmt.Errorf("wait for the receiver's answer: %w", err)
	case answer != done:
		return fmt.Errorf("the receiver says: %s", answer)
	}
	fmt.Printf("sent %s, SHA-256 %s\n", path, progress.sum())
	return nil
}

func receive(p *exchange.Peer, code, directory string) error {
	p.SetDeadline(time.Now().Add(introTime))
	if _, err := fmt.Fprintln(p, greeting+code); err != nil {
		return errStranger
	}
	content := bufio.NewReaderSize(p, 64<<10)
	line, err := readLine(content)
	var h header
	if err != nil || json.Unmarshal([]byte(line), &h) != nil || h.Size < 0 {
		return errStranger
	}
	p.SetDeadline(time.Time{})

	err = store(content, h, directory)
	if err != nil {
		fmt.Fprintln(p, err)
		return err
	}
	_, err = fmt.Fprintln(p, done)
	return err
}

// store writes a file that is not there yet, and leaves nothing of it behind if
// it does not arrive as it was sent.
func store(content *bufio.Reader, h header, directory string) (err error) {
	if h.Name != filepath.Base(h.Name) || h.Name == "." || h.Name == ".." {
		return fmt.Errorf("%q is no file name", h.Name)
	}
	path := filepath.Join(directory, h.Name)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(fmt.Errorf("receive %s: %w", h.Name, err), os.Remove(path))
		}
	}()
	progress := newProgress("received", h.Size)
	if _, err := io.CopyN(io.MultiWriter(file, progress), content, h.Size); err != nil {
		return err
	}
	sum, err := readLine(content)
	if err != nil {
		return err
	}
	if sum != progress.sum() {
		return errors.New("the SHA-256 is not the sender's")
	}
	fmt.Printf("received %s, SHA-256 %s\n", path, sum)
	return nil
}

// readLine reads a line that fits into the reader's buffer.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	return strings.TrimSuffix(string(line), "\n"), err
}

// progress counts and hashes what is written to it, and tells about each tenth.
type progress struct {
	verb        string
	size, count int64
	tenths      int64
	hash        hash.Hash
}

func newProgress(verb string, size int64) *progress {
	return &progress{verb: verb, size: size, hash: sha256.New()}
}

func (p *progress) Write(b []byte) (int, error) {
	p.count += int64(len(b))
	if tenths := 10 * p.count / max(p.size, 1); tenths > p.tenths {
		p.tenths = tenths
		fmt.Printf("%s %d %% of %d bytes\n", p.verb, 10*tenths, p.size)
	}
	return p.hash.Write(b)
}

func (p *progress) sum() string { return hex.EncodeToString(p.hash.Sum(nil)) }
