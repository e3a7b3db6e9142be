package clients

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Page is a tab that tests call functions of.
type Page struct {
	t   *testing.T
	tab context.Context
}

// OpenRelayPage opens a tab that runs node/relay.js. It closes with the test.
func (l *Lab) OpenRelayPage(t *testing.T) *Page {
	t.Helper()
	return l.openPage(t, "/relay")
}

// OpenFolder opens index.html of a folder, with a query. The tab closes with the test.
func (l *Lab) OpenFolder(t *testing.T, folder string, query url.Values) *Page {
	t.Helper()
	path := "/folder-" + rand.Text() + "/"
	l.chromium(t).mux.Handle(path, http.StripPrefix(path, http.FileServer(http.Dir(folder))))
	return l.openPage(t, path+"?"+query.Encode())
}

// AwaitText waits until the page shows a text.
func (p *Page) AwaitText(ctx context.Context, text string) {
	p.t.Helper()
	p.Call(ctx, `(function (text) {
		return new Promise(function (resolve) {
			function look () { if (document.body.innerText.includes(text)) resolve(text) }
			new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true })
			look()
		})
	})`, text)
}

func (l *Lab) openPage(t *testing.T, path string) *Page {
	t.Helper()
	b := l.chromium(t)
	tab, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	var log Tail
	err := chromedp.Listen(tab, func(event any) {
		if event, ok := event.(*runtime.EventConsoleAPICalled); ok {
			args, _ := json.Marshal(event.Args)
			fmt.Fprintf(&log, "%s\n", args)
		}
	})
	if err != nil {
		t.Fatalf("listen to a tab: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the page said:\n%s", log.String())
		}
	})
	step, stop := context.WithCancel(tab)
	defer stop()
	defer context.AfterFunc(Context(t), stop)()
	if err := chromedp.Do(step, chromedp.Navigate(b.pages.URL+path)); err != nil {
		t.Fatalf("open the page: %v", err)
	}
	return &Page{t, tab}
}

// Call calls a function of the page and returns what it resolves to.
func (p *Page) Call(ctx context.Context, function string, args ...any) string {
	p.t.Helper()
	texts := make([]string, len(args))
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			p.t.Fatal(err)
		}
		texts[i] = string(text)
	}
	step, stop := context.WithCancel(p.tab)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	var answer string
	err := chromedp.Do(step, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		result, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{
			Expression: function + "(" + strings.Join(texts, ",") + ")", AwaitPromise: new(true), ReturnByValue: new(true),
		})
		if err != nil {
			return err
		}
		if result.ExceptionDetails != nil {
			return &chromedp.ExceptionError{ExceptionDetails: result.ExceptionDetails}
		}
		return json.Unmarshal(result.Result.Value, &answer)
	}))
	if err != nil {
		p.t.Fatalf("%s: %v", function, errors.Join(err, ctx.Err()))
	}
	return answer
}
