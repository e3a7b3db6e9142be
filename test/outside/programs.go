package outside

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/peerexchange/peerexchange/test/clients"
	"github.com/peerexchange/peerexchange/test/markdown"
)

// Programs runs those of docs/applications.md, as they stand there, each from another seed
// than the one before. They greet each other.
func Programs(t *testing.T, n Network) {
	p := programs{n, markdown.Files(t, filepath.Join(n.Lab.Packages(), "../../../../docs/applications.md"))}
	t.Run("v0", func(t *testing.T) {
		t.Parallel()
		ctx := clients.Context(t)
		tab := p.page(ctx, t, 1)
		inNode := p.node(ctx, t, "app-v0.js", 0)
		inGo := p.goProgram(ctx, t, 0)
		tab.AwaitText(ctx, "a peer says: hello from ")
		inNode.await("a peer says: hello from ")
		for _, who := range []string{"a page", "npm 0.4.1"} {
			inGo.await("a peer says: hello from " + who)
		}
	})
	t.Run("v1", func(t *testing.T) {
		t.Parallel()
		ctx := clients.Context(t)
		for _, process := range []process{p.node(ctx, t, "app-v1.js", 0), p.node(ctx, t, "app-v1.js", 1)} {
			process.await("a peer says: hello from npm 2.2.0")
		}
	})
}

type programs struct {
	Network
	code map[string]string
}

// write puts a program into a folder of its own. Both packages have one name, so each is
// found under the name that it has in this repository.
func (p programs) write(t *testing.T, name, generation string) (folder string) {
	t.Helper()
	code, ok := p.code[name]
	if !ok {
		t.Fatalf("docs/applications.md has no %s", name)
	}
	folder = t.TempDir()
	code = strings.ReplaceAll(code, "require('peer-exchange')", "require('peer-exchange-"+generation+"')")
	if err := os.WriteFile(filepath.Join(folder, name), []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

func (p programs) variables(t *testing.T, seed int) []string {
	key := ""
	if p.Key != nil {
		key = base64.StdEncoding.EncodeToString(p.Key)
	}
	return []string{"NETWORK=" + p.ID, "SEED=" + p.origin(t, seed), "CA=" + p.CAFile, "KEY=" + key}
}

func (p programs) node(ctx context.Context, t *testing.T, name string, seed int) process {
	t.Helper()
	generation := strings.TrimSuffix(strings.TrimPrefix(name, "app-"), ".js")
	return start(t, name, p.Lab.Node(ctx, p.write(t, name, generation), p.variables(t, seed), name))
}

func (p programs) goProgram(ctx context.Context, t *testing.T, seed int) process {
	t.Helper()
	folder := p.write(t, "main.go", "")
	program := filepath.Join(folder, "main")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, filepath.Join(folder, "main.go")).CombinedOutput(); err != nil {
		t.Fatalf("build main.go: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), p.variables(t, seed)...)
	return start(t, "main.go", cmd)
}

func (p programs) page(ctx context.Context, t *testing.T, seed int) *clients.Page {
	t.Helper()
	folder := p.write(t, "page.js", "v0")
	browserify := exec.CommandContext(ctx, "node", filepath.Join(p.Lab.Packages(), ".bin", "browserify"), "page.js", "-o", "bundle.js")
	browserify.Dir, browserify.Env = folder, append(os.Environ(), "NODE_PATH="+p.Lab.Packages())
	if out, err := browserify.CombinedOutput(); err != nil {
		t.Fatalf("bundle the page: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(folder, "index.html"), []byte(p.code["index.html"]), 0o644); err != nil {
		t.Fatal(err)
	}
	return p.Lab.OpenFolder(t, folder, url.Values{"network": {p.ID}, "seed": {p.origin(t, seed)}})
}

// process is a program that a test runs. It ends with the test.
type process struct {
	t     *testing.T
	name  string
	lines <-chan string // of both of its outputs; closed at its end
	taken *[]string     // what was read of them
	said  *clients.Tail
}

func start(t *testing.T, name string, cmd *exec.Cmd) process {
	t.Helper()
	output, input := io.Pipe()
	cmd.Stdout, cmd.Stderr = input, input
	stdin, err := cmd.StdinPipe() // a program in a container ends when nobody is there any more
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	lines := make(chan string, 1000)
	said := new(clients.Tail)
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		input.Close()
	}()
	go func() {
		defer close(ended)
		defer close(lines)
		for scanner := bufio.NewScanner(io.TeeReader(output, said)); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			default: // nobody waits for so many
			}
		}
	}()
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Process.Kill() // it may have ended
		<-ended
		if t.Failed() {
			t.Logf("%s said:\n%s", name, said)
		}
	})
	return process{t, name, lines, new([]string), said}
}

// await waits for a line that begins like this, unless there was one already.
func (p process) await(prefix string) {
	p.t.Helper()
	begins := func(line string) bool { return strings.HasPrefix(line, prefix) }
	for !slices.ContainsFunc(*p.taken, begins) {
		line, ok := <-p.lines
		if !ok {
			p.t.Fatalf("%s ended and did not say %q", p.name, prefix)
		}
		*p.taken = append(*p.taken, line)
	}
}
