package clients

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// StartTab opens a tab with an npm client. It closes with the test. Options are
// those of [Remote].
func (l *Lab) StartTab(t *testing.T, gen Generation, name string, options map[string]any) *Remote {
	t.Helper()
	b := l.chromium(t)
	r := l.newRemote(t, name)

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

	ctx := Context(t)
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
	if err := r.start(ctx, l.networkOf(t), options); err != nil {
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
