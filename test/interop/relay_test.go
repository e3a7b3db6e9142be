//go:build interop

package interop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// relayPage is a tab that runs node/relay.js.
type relayPage struct {
	t   *testing.T
	tab context.Context
}

func openRelayPage(t *testing.T) *relayPage {
	t.Helper()
	b := suite.chromium(t)
	tab, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(tab); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	var log tail
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
	defer context.AfterFunc(testContext(t), stop)()
	if err := chromedp.Do(step, chromedp.Navigate(b.pages.URL+"/relay")); err != nil {
		t.Fatalf("open the page: %v", err)
	}
	return &relayPage{t, tab}
}

// call calls a function of the page and returns what it resolves to.
func (p *relayPage) call(ctx context.Context, function string, args ...any) string {
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

// TestTabsThroughTURN has two pages that may use nothing but a seed's TURN server
// exchange data, for each way to it that the seed's /ice tells.
func TestTabsThroughTURN(t *testing.T) {
	seed := startSeedCommand(t, "--turn-listen", "127.0.0.1:0", "--turn-relay-ip", "127.0.0.1")
	origin := fmt.Sprintf("https://%s:%d", seed.secure.host, seed.secure.port)
	for _, way := range []struct{ scheme, transport, protocol string }{
		{"turn", "udp", "udp"}, {"turn", "tcp", "tcp"}, {"turns", "tcp", "tls"},
	} {
		t.Run(way.protocol, func(t *testing.T) {
			ctx := testContext(t)
			asker, answerer := openRelayPage(t), openRelayPage(t)
			for _, page := range []*relayPage{asker, answerer} {
				if url := page.call(ctx, "open", origin, way.scheme, way.transport); strings.Count(url, way.scheme+":") != 1 {
					t.Fatalf("the seed's servers by %s are %q, want one", way.protocol, url)
				}
			}
			offer := asker.call(ctx, "offer")
			answer := answerer.call(ctx, "answer", offer)
			for _, sdp := range []string{offer, answer} {
				if n := strings.Count(sdp, " typ "); n == 0 || n != strings.Count(sdp, " typ relay ") {
					t.Fatalf("candidates are not relayed ones and no others:\n%s", sdp)
				}
			}
			asker.call(ctx, "accept", answer)
			if back := asker.call(ctx, "echo", payload/4); back != fmt.Sprint(payload/4) {
				t.Errorf("%s bytes came back, want %d", back, payload/4)
			}
			for _, page := range []*relayPage{asker, answerer} {
				if path := page.call(ctx, "path"); path != "relay "+way.protocol {
					t.Errorf("the way is %q, want a relay by %s", path, way.protocol)
				}
			}
		})
	}
}
