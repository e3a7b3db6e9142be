//go:build interop

package examples

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/test/markdown"
)

// The programs for npm clients stand in the documents, in code blocks that begin
// with their file name. What a reader copies is what is run here, but for the
// seed's address and, since both packages have one name, that of the package.

// startNode runs a documented program in Node, against the seed at url.
func startNode(t *testing.T, name, program, url string) *process {
	t.Helper()
	code, ok := markdown.Files(t, "../README.md", "../docs/clients.md")[program]
	if !ok {
		t.Fatalf("no document has %s", program)
	}
	packages, err := filepath.Abs("../test/clients/node/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	generation, _, _ := strings.Cut(strings.TrimPrefix(program, "chat-"), ".")
	port := url[strings.LastIndex(url, ":")+1:]
	if strings.Count(code, "8000") != 1 {
		t.Fatalf("%s does not name the seed's port once", program)
	}
	code = strings.NewReplacer(
		"require('peer-exchange')", "require('peer-exchange-"+generation+"')",
		"8000", port,
		"node: ", name+": ",
		"* node is here", "* "+name+" is here",
	).Replace(code)
	path := filepath.Join(t.TempDir(), program)
	if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	return startCommand(t, name, func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "node", path)
		cmd.Env = append(os.Environ(), "NODE_PATH="+packages)
		return cmd
	})
}

const (
	lostMeetings = 3                // how many may be lost in a row
	meetingTime  = 20 * time.Second // for one that may be lost
)

// meet starts a documented program until alice meets it. The WebRTC of Node loses a
// meeting now and then, as package clients tells at Draw, and both then wait for ever.
func meet(t *testing.T, alice *process, program, url string) *process {
	t.Helper()
	for range lostMeetings - 1 {
		norbert := startNode(t, "norbert", program, url)
		if alice.says(`\* norbert is here`, meetingTime) {
			return norbert
		}
		norbert.kill()
		<-norbert.ended
	}
	return startNode(t, "norbert", program, url)
}

func TestDocumentedClients(t *testing.T) {
	for _, test := range []struct {
		name  string
		other func(t *testing.T, seed string) *process
		node  string
	}{
		{"npm 0.4.1 finds Go", func(t *testing.T, seed string) *process { return startChat(t, seed, "alice") }, "chat-v0.js"},
		{"npm 0.4.1 finds npm 0.4.1", func(t *testing.T, seed string) *process { return startNode(t, "alice", "chat-v0.js", seed) }, "chat-v0.js"},
		{"npm 2.2.0 finds npm 2.2.0", func(t *testing.T, seed string) *process { return startNode(t, "alice", "chat-v1.js", seed) }, "chat-v1.js"},
	} {
		t.Run(test.name, func(t *testing.T) {
			seed := startSeed(t)
			alice := test.other(t, seed)
			node := meet(t, alice, test.node, seed)
			alice.waitFor(t, `\* norbert is here`)
			node.waitFor(t, `\* alice is here`)
			alice.say(t, "hello from alice")
			node.waitFor(t, `alice: hello from alice`)
			node.say(t, "hello from norbert")
			alice.waitFor(t, `norbert: hello from norbert`)
		})
	}
}
