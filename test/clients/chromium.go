package clients

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// browser is one headless Chromium, with an own empty profile, and the server
// of the pages that its tabs show.
type browser struct {
	ctx    context.Context // of chromedp: its children are tabs
	stop   context.CancelFunc
	pages  *httptest.Server
	mux    *http.ServeMux // of pages
	output Tail
}

// chromium returns the browser that all tests share, started at the first call.
func (l *Lab) chromium(t *testing.T) *browser {
	t.Helper()
	l.browserOnce.Do(func() { l.browser, l.browserErr = l.startBrowser() })
	if l.browserErr != nil {
		t.Fatal(l.browserErr)
	}
	return l.browser
}

func (l *Lab) startBrowser() (*browser, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	home := filepath.Join(l.dir, "home")
	if err := trustIn(home, l.config.CAFile); err != nil {
		return nil, err
	}
	scripts, err := bundlePages(l.node, l.dir)
	if err != nil {
		return nil, err
	}
	b := &browser{}
	b.pages, b.mux = servePages(scripts)

	flags := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(l.dir, "chromium")),
		chromedp.Flag("headless", "new"),
		chromedp.CombinedOutput(&b.output),
		chromedp.WSURLReadTimeout(stepTime), // the 20 seconds that it is given otherwise are too few where much else runs
		chromedp.Env("HOME=" + home),
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
