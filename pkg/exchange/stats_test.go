package exchange

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/peerexchange/peerexchange/pkg/transports"
)

func TestStatsCountPeersByKind(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		check := func(want map[PeerKind]int) {
			t.Helper()
			synctest.Wait()
			if got := seed.Stats().Peers; !maps.Equal(got, want) {
				t.Errorf("counted %v, want %v", got, want)
			}
		}
		v0, v1 := PeerKind{transports.TCP, V0}, PeerKind{transports.TCP, V1}
		check(map[PeerKind]int{})
		first := w.node("10.0.0.2").connect(seed)
		w.node("10.0.0.3").connect(seed)
		third := w.node("10.0.0.4", dialsV1).connect(seed)
		w.dialRaw("10.0.0.5", seed) // no peer yet
		check(map[PeerKind]int{v0: 2, v1: 1})
		first.Close()
		first.Close()
		check(map[PeerKind]int{v0: 1, v1: 1})
		third.Close()
		check(map[PeerKind]int{v0: 1})
		for _, p := range seed.Peers() {
			p.Close()
		}
		check(map[PeerKind]int{})
	})
}

func TestStatsCountHandshakeFailures(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		w.dialRaw("10.0.0.2", seed).conn.Close()
		r := w.dialRaw("10.0.0.3", seed).listen(false)
		r.write(opens(0, "pxp"))
		r.line(`{"command":"hello","id":"other","version":0,"accepts":{},"transports":[]}`)
		synctest.Wait()
		// What goes wrong with a ready peer is no failure of its handshake.
		w.dialRaw("10.0.0.4", seed).shakeV0("").line("nonsense")
		time.Sleep(closeLinger)
		synctest.Wait()
		got := seed.Stats()
		if want := map[string]uint64{"lost": 1, "network": 1}; !maps.Equal(got.HandshakeFailures, want) {
			t.Errorf("failures are %v, want %v", got.HandshakeFailures, want)
		}
		if want := map[string]uint64{"network": 1, "protocol": 1}; !maps.Equal(got.Refused, want) {
			t.Errorf("refusals are %v, want %v", got.Refused, want)
		}
		if got.Connections != 3 || got.Handshakes != 1 {
			t.Errorf("%d connections and %d handshakes, want 3 and 1", got.Connections, got.Handshakes)
		}
	})
}

func TestPeersAreToldApart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seed := w.seed("10.0.0.1")
		began := time.Now()
		w.node("10.0.0.2").connect(seed)
		time.Sleep(time.Minute)
		w.node("10.0.0.3").connect(seed)
		first, second := seed.next(), seed.next()
		if first.ID() == second.ID() {
			t.Error("two peers have one id")
		}
		if !first.Since().Equal(began) || !second.Since().Equal(began.Add(time.Minute)) {
			t.Errorf("ready since %v and %v, want %v and a minute later", first.Since(), second.Since(), began)
		}
	})
}

// TestRefusalReasonsAreComplete reads the code for what it refuses things as:
// whoever counts by reason has to know them all in advance.
func TestRefusalReasonsAreComplete(t *testing.T) {
	known := RefusalReasons()
	used := make(map[string]bool)
	for _, r := range reasons {
		used[r.reason] = true
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	add := func(expr ast.Expr) {
		literal, ok := expr.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return
		}
		if name, err := strconv.Unquote(literal.Value); err == nil && name != "" {
			used[name] = true
		}
	}
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "refused" || f.Sel.Name == "refuse") {
				add(n.Args[0])
			}
		case *ast.CompositeLit:
			if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "admission" {
				name, _ := strconv.Unquote(n.Elts[0].(*ast.KeyValueExpr).Value.(*ast.BasicLit).Value)
				used[name], used[name+"-per-ip"] = true, true
			}
		case *ast.FuncDecl:
			// This returns the name of a limit.
			if n.Name.Name == "open" {
				ast.Inspect(n, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						for _, result := range r.Results {
							add(result)
						}
					}
					return true
				})
			}
		}
		return true
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	if got := slices.Sorted(maps.Keys(used)); !slices.Equal(got, known) {
		t.Errorf("the code refuses as %v, and RefusalReasons returns %v", got, known)
	}
	for _, reason := range HandshakeFailureReasons() {
		if reason != lost && !slices.Contains(known, reason) {
			t.Errorf("handshakes fail through %q, which is no refusal", reason)
		}
	}
}
