package clients

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// bundlePages makes the script of each generation's page, beside one that needs no
// packages.
func bundlePages(node, dir string) (map[string]string, error) {
	files := map[string]string{"/relay.js": filepath.Join(node, "relay.js")}
	var group errgroup.Group
	for _, gen := range Generations {
		file := filepath.Join(dir, string(gen)+".js")
		files["/"+string(gen)+".js"] = file
		group.Go(func() error {
			cmd := exec.Command("node", "bundle.js", string(gen), file)
			cmd.Dir = node
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("bundle the page of %s: %w\n%s", gen, err, out)
			}
			return nil
		})
	}
	return files, group.Wait()
}

func servePages(scripts map[string]string) (*httptest.Server, *http.ServeMux) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if file, ok := scripts[r.URL.Path]; ok {
			http.ServeFile(w, r, file)
			return
		}
		script := r.URL.Path + ".js"
		if _, ok := scripts[script]; !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>%s</title><script src=%q></script>\n", r.URL.Path, script)
	})
	return httptest.NewServer(mux), mux
}
