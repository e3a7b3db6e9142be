//go:build interop

package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"golang.org/x/sync/errgroup"
)

// browser is one headless Chromium, with an own empty profile, and the server
// of the pages that its tabs show.
type browser struct {
	ctx    context.Context // of chromedp: its children are tabs
	stop   context.CancelFunc
	pages  *httptest.Server
	output tail
}

// chromium returns the browser that all tests share, started at the first call.
func (s *interopSuite) chromium(t *testing.T) *browser {
	t.Helper()
	s.browserOnce.Do(func() { s.browser, s.browserErr = startBrowser(s.dir) })
	if s.browserErr != nil {
		t.Fatal(s.browserErr)
	}
	return s.browser
}

func startBrowser(dir string) (*browser, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	scripts, err := bundlePages(dir)
	if err != nil {
		return nil, err
	}
	b := &browser{pages: servePages(scripts)}

	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(dir, "chromium")),
		chromedp.Flag("headless", "new"),
		chromedp.CombinedOutput(&b.output),
		// Chromium reads no certificate authority from its environment.
		chromedp.Flag("ignore-certificate-errors-spki-list", suite.pki.spki),
		// Without a NIC, loopback is all that two tabs can meet on.
		chromedp.Flag("allow-loopback-in-peer-connection", true),
	}
	for _, name := range []string{
		"no-sandbox", // containers run as root
		"disable-gpu", "disable-quic", "disable-dev-shm-usage",
		"no-first-run", "no-default-browser-check", "disable-sync",
		"disable-background-networking", "disable-component-update", "disable-default-apps", "disable-extensions",
		// All tabs but one are in the background.
		"disable-background-timer-throttling", "disable-renderer-backgrounding", "disable-backgrounding-occluded-windows",
	} {
		flags = append(flags, chromedp.Flag(name, true))
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, cancel := chromedp.NewContext(allocator)
	b.ctx, b.stop = ctx, func() {
		cancel()
		stopAllocator()
		b.pages.Close()
	}
	if err := chromedp.Do(ctx); err != nil {
		b.stop()
		return nil, fmt.Errorf("start %s: %w\n%s", path, err, b.output.String())
	}
	// A page that may use the camera sees the host's addresses; to any other
	// WebRTC shows mDNS names, which nothing resolves here.
	for _, name := range []string{"camera", "microphone"} {
		_, err := chromedp.CallBrowser(ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
			Permission: &cdpbrowser.PermissionDescriptor{Name: name},
			Setting:    cdpbrowser.PermissionSettingGranted,
			Origin:     b.pages.URL,
		})
		if err != nil {
			b.stop()
			return nil, fmt.Errorf("grant %s: %w", name, err)
		}
	}
	return b, nil
}

func findChromium() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("$CHROMIUM: %w (for Debian's: apt-get install chromium)", err)
		}
		return found, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium on PATH and $CHROMIUM is not set: apt-get install chromium")
}

// bundlePages makes the script of each generation's page, beside one that needs no
// packages.
func bundlePages(dir string) (map[string]string, error) {
	files := map[string]string{"/relay.js": filepath.Join("node", "relay.js")}
	var group errgroup.Group
	for _, gen := range generations {
		file := filepath.Join(dir, string(gen)+".js")
		files["/"+string(gen)+".js"] = file
		group.Go(func() error {
			cmd := exec.Command("node", "bundle.js", string(gen), file)
			cmd.Dir = "node"
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("bundle the page of %s: %w\n%s", gen, err, out)
			}
			return nil
		})
	}
	return files, group.Wait()
}

func servePages(scripts map[string]string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	}))
}

// startTab opens a tab with an npm client. It closes with the test.
func startTab(t *testing.T, gen generation, name string, options map[string]any) *remote {
	t.Helper()
	b := suite.chromium(t)
	r := newRemote(t, name)

	// The tab lives as long as the context of its first action.
	tab, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(func() {
		cancel()
		r.fail(errors.New("tab is closed"))
		r.report(t, "")
	})
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	err := chromedp.Listen(tab, func(event any) {
		switch event := event.(type) {
		case *runtime.EventBindingCalled:
			r.handle([]byte(event.Payload))
		case *runtime.EventExceptionThrown:
			r.note("exception: " + event.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			args, _ := json.Marshal(event.Args)
			r.note("console: " + string(args))
		}
	})
	if err != nil {
		t.Fatalf("listen to a tab: %v", err)
	}

	ctx := testContext(t)
	within := func() (context.Context, context.CancelFunc) {
		step, stop := context.WithCancel(tab)
		release := context.AfterFunc(ctx, stop)
		return step, func() { release(); stop() }
	}
	var sending sync.Mutex // the actions of one tab must not run side by side
	r.send = func(_ context.Context, command []byte) error {
		sending.Lock()
		defer sending.Unlock()
		step, stop := within()
		defer stop()
		return chromedp.Do(step, evaluate("window.command("+string(command)+")"))
	}

	step, stop := within()
	defer stop()
	if _, err := chromedp.Call(step, runtime.AddBinding, runtime.AddBindingParams{Name: "report"}); err != nil {
		t.Fatalf("bind a tab: %v", err)
	}
	if err := chromedp.Do(step, chromedp.Navigate(b.pages.URL+"/"+string(gen))); err != nil {
		t.Fatalf("open the page of %s: %v", gen, err)
	}
	if err := r.start(ctx, networkOf(t), options); err != nil {
		t.Fatal(err)
	}
	return r
}

// evaluate runs an expression for its effect.
func evaluate(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		result, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{Expression: expression})
		if err != nil {
			return err
		}
		if result.ExceptionDetails != nil {
			return &chromedp.ExceptionError{ExceptionDetails: result.ExceptionDetails}
		}
		return nil
	})
}
