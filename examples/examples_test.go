package examples

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

var programs string // the folder with what was built

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "examples-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	build := exec.Command("go", "build", "-o", programs+string(filepath.Separator), "./chat", "./filetransfer", "../cmd/seed")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the examples:", err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// startSeed starts a seed of the network "demo" and returns its URL.
func startSeed(t *testing.T) string {
	t.Helper()
	seed := start(t, "seed", filepath.Join(programs, "seed"),
		"--network-id", "demo", "--listen", "off", "--webrtc-listen", "off", "--admin-listen", "off", "--turn-listen", "off", "--listen-plain", "127.0.0.1:0")
	url := seed.waitFor(t, `(ws://127\.0\.0\.1:\d+)`)
	seed.waitFor(t, "msg=started")
	return url
}

func startChat(t *testing.T, seed, name string) *process {
	t.Helper()
	return start(t, name, filepath.Join(programs, "chat"), "--seed", seed, "--network", "demo", "--name", name)
}

func TestChat(t *testing.T) {
	seed := startSeed(t)
	names := []string{"alice", "bob", "carol"}
	var room []*process
	for _, name := range names {
		room = append(room, startChat(t, seed, name))
	}
	others := func(i int, visit func(p *process)) {
		for j, p := range room {
			if j != i {
				visit(p)
			}
		}
	}
	for i, name := range names {
		others(i, func(p *process) { p.waitFor(t, `^\* `+name+` is here$`) })
	}
	for i, name := range names {
		room[i].say(t, "hello from "+name)
		others(i, func(p *process) { p.waitFor(t, `^`+name+`: hello from `+name+`$`) })
	}
	for _, p := range room {
		p.end(t)
	}
}

func TestFileTransfer(t *testing.T) {
	seed := startSeed(t)
	content := make([]byte, 5_000_000)
	rand.NewChaCha8([32]byte{}).Read(content)
	path := filepath.Join(t.TempDir(), "content.bin")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()

	program := filepath.Join(programs, "filetransfer")
	flags := []string{"--seed", seed, "--network", "demo", "--code", "parsley"}
	// Somebody who is there for another reason is met too, and passed over.
	bystander := startChat(t, seed, "bystander")
	receiver := start(t, "receiver", program, append(flags, "receive", directory)...)
	sender := start(t, "sender", program, append(flags, "send", path)...)
	sum := sender.waitFor(t, `^sent .*, SHA-256 ([0-9a-f]{64})$`)
	receiver.waitFor(t, `^received .*, SHA-256 `+sum+`$`)
	sender.end(t)
	receiver.end(t)
	bystander.end(t)

	received, err := os.ReadFile(filepath.Join(directory, "content.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(received, content) {
		t.Error("the file that was received is another one")
	}
}
