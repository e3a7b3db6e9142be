//go:build interop

package examples

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/test/markdown"
)

// The programs for npm clients stand in the documents, in code blocks that begin
// with their file name. What a reader copies is what is run here, but for the
// seed's address and, since both packages have one name, that of the package.

// startNode runs a documented program in Node, against the seed at url. It loses the
// first connection that leads to it if lost says so.
func startNode(t *testing.T, name, program, url string, lost bool) *process {
	t.Helper()
	code, ok := markdown.Files(t, "../README.md", "../docs/clients.md")[program]
	if !ok {
		t.Fatalf("no document has %s", program)
	}
	folder, err := filepath.Abs("../test/clients/node")
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
	if lost {
		const webrtc = "require('@roamhq/wrtc')"
		if strings.Count(code, webrtc) != 1 {
			t.Fatalf("%s does not take its WebRTC from one place", program)
		}
		code = strings.Replace(code, webrtc, fmt.Sprintf("require(%q)(%s, 'late')", filepath.Join(folder, "firstmessage.js"), webrtc), 1)
	}
	path := filepath.Join(t.TempDir(), program)
	if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	return startCommand(t, name, func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, "node", path)
		cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(folder, "node_modules"))
		return cmd
	})
}

func TestDocumentedClients(t *testing.T) {
	inGo := func(t *testing.T, seed string) *process { return startChat(t, seed, "alice") }
	inNode := func(program string, lost bool) func(*testing.T, string) *process {
		return func(t *testing.T, seed string) *process {
			alice := startNode(t, "alice", program, seed, lost)
			alice.waitFor(t, `^\* nobody else is here yet$`) // it is the one that is found
			return alice
		}
	}
	for _, test := range []struct {
		name  string
		other func(t *testing.T, seed string) *process
		node  string
	}{
		{"npm 0.4.1 finds Go", inGo, "chat-v0.js"},
		{"npm 0.4.1 finds npm 0.4.1", inNode("chat-v0.js", false), "chat-v0.js"},
		{"npm 2.2.0 finds npm 2.2.0", inNode("chat-v1.js", false), "chat-v1.js"},
		{"npm 0.4.1 loses npm 0.4.1 once", inNode("chat-v0.js", true), "chat-v0.js"},
		{"npm 2.2.0 loses npm 2.2.0 once", inNode("chat-v1.js", true), "chat-v1.js"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			seed := startSeed(t)
			alice := test.other(t, seed)
			node := startNode(t, "norbert", test.node, seed, false)
			alice.waitFor(t, `\* norbert is here`)
			node.waitFor(t, `\* alice is here`)
			alice.say(t, "hello from alice")
			node.waitFor(t, `alice: hello from alice`)
			node.say(t, "hello from norbert")
			alice.waitFor(t, `norbert: hello from norbert`)
		})
	}
}
