package lookout

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var demo = types.NamespacedName{Namespace: "default", Name: "demo"}

// world is seeds as a test wants them.
type world struct {
	*testing.T
	*Lookout

	mu sync.Mutex
	// Guarded by mu.
	reason v1.SeedReason
	out    []string // URLs at which it is not reached
	silent bool
	peers  int32
	takes  time.Duration // how long everything takes, see newWorld
	trying int32         // how many tries there are now, which a seed takes for peers
	asked  int
	tried  int
	news   int
	counts int
}

// newWorld runs a lookout. What it looks at takes a moment always, so that nothing is
// over before a test lets time go by, and since timers of no time at all that end side by
// side in a bubble crash the race detector (https://go.dev/issue/78156).
func newWorld(t *testing.T) *world {
	w := &world{T: t, reason: v1.SeedReached, takes: time.Millisecond}
	w.Lookout = New(Config{
		Seeds:   w,
		Changed: func(context.Context, types.NamespacedName) { w.change(func() { w.news++ }) },
		Counted: func(context.Context, types.NamespacedName) { w.change(func() { w.counts++ }) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Lookout.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) change(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) wait(ctx context.Context) error {
	w.mu.Lock()
	takes := w.takes
	w.mu.Unlock()
	select {
	case <-time.After(takes):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *world) Status(ctx context.Context, _ *corev1.Pod) (probe.Report, error) {
	w.change(func() { w.asked++ })
	if err := w.wait(ctx); err != nil {
		return probe.Report{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.silent {
		return probe.Report{}, errors.New("no answer")
	}
	return probe.Report{Peers: w.peers + w.trying}, nil
}

func (w *world) Reach(ctx context.Context, _ probe.Target) probe.Sighting {
	w.change(func() { w.tried++; w.trying++ })
	defer w.change(func() { w.trying-- })
	if err := w.wait(ctx); err != nil {
		return probe.Sighting{Reason: v1.SeedDialFailed, Message: err.Error()}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	reachable := w.reason == v1.SeedReached || len(w.out) > 0 && !slices.Contains(w.out, "all")
	return probe.Sighting{Reason: w.reason, Silent: w.out, Reachable: reachable}
}

// after lets time go by, and tells how often there was news in it.
func (w *world) after(d time.Duration) int {
	before := 0
	w.change(func() { before = w.news })
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.news - before
}

func seed(uid, address string) Seed {
	return Seed{
		Pod:    &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "demo-seed-0", UID: types.UID(uid)}},
		Target: &probe.Target{Addresses: []string{address}},
	}
}

func (w *world) want(s Seed, want v1.SeedReason) {
	w.Helper()
	if got := w.Look(demo, []Seed{s}); got[0].Reason != want {
		w.Errorf("the seed is %s, want %s", got[0].Reason, want)
	}
}

func TestTellsOnceAndThenNewsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		one := seed("a", "wss://a")
		if _, known := w.Report(demo, one.Pod); known {
			t.Error("a seed is known that was never looked at")
		}
		w.want(one, v1.SeedNotProbed)
		if w.after(time.Second) != 1 {
			t.Error("the first look was no news")
		}
		w.want(one, v1.SeedReached)
		if report, known := w.Report(demo, one.Pod); !known || report == nil {
			t.Error("the seed was not asked")
		}
		if news := w.after(10 * time.Minute); news != 0 {
			t.Errorf("there was news %d times of a seed that stays the same", news)
		}
		if w.asked < 17 || w.asked > 24 || w.tried < 9 || w.tried > 13 {
			t.Errorf("in ten minutes it was asked %d times and tried %d times", w.asked, w.tried)
		}
		w.change(func() { w.peers = 7 })
		if news := w.after(time.Minute); news != 0 || w.counts != 1 {
			t.Errorf("of new peers there was news %d times, and they were counted %d times", news, w.counts)
		}
		if report, _ := w.Report(demo, one.Pod); report == nil || report.Peers != 7 {
			t.Errorf("the seed says %+v", report)
		}
		one.Load = true // something depends on it
		w.want(one, v1.SeedReached)
		w.change(func() { w.peers = 8 })
		if news := w.after(time.Minute); news != 1 || w.counts != 1 {
			t.Errorf("of load there was news %d times, and it was counted %d times", news, w.counts)
		}
		w.Look(demo, nil)
		w.after(time.Minute)
		tried := w.tried
		w.after(10 * time.Minute)
		if w.tried != tried || len(w.networks) != 0 {
			t.Error("a seed that nobody looks for is still looked at")
		}
	})
}

func TestFailureHasToRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		one := seed("a", "wss://a")
		w.want(one, v1.SeedNotProbed)
		w.after(time.Second)
		// Once: from now until a try has failed.
		tried := w.tried
		w.change(func() { w.reason, w.silent = v1.SeedDialFailed, true })
		for w.tried == tried {
			w.after(time.Second)
		}
		w.want(one, v1.SeedReached)
		w.change(func() { w.reason, w.silent = v1.SeedReached, false })
		w.after(5 * time.Minute)
		w.want(one, v1.SeedReached)

		w.change(func() { w.reason, w.silent = v1.SeedDialFailed, true })
		w.after(3 * time.Minute)
		w.want(one, v1.SeedDialFailed)
		if report, known := w.Report(demo, one.Pod); !known || report != nil {
			t.Errorf("a seed that does not answer said %+v", report)
		}
		tried = w.tried
		w.after(time.Hour)
		if tries := w.tried - tried; tries < 25 || tries > 40 {
			t.Errorf("a seed that is not reached was tried %d times in an hour", tries)
		}
		w.change(func() { w.reason = v1.SeedReached })
		w.after(3 * time.Minute)
		w.want(one, v1.SeedReached)
	})
}

// An address that is not reached, or one of TURN that does not answer, is told after it
// was tried twice, as if it were all, and does not hide that the rest fails, nor is it
// tried often.
func TestOneAddressOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		one := seed("a", "wss://a")
		finds := func(reason v1.SeedReason, out ...string) { w.change(func() { w.reason, w.out = reason, out }) }
		untilTried := func() {
			for tried := w.tried; w.tried == tried; {
				w.after(time.Second)
			}
		}
		w.want(one, v1.SeedNotProbed)
		w.after(time.Second)
		w.want(one, v1.SeedReached)
		for _, c := range []struct {
			reason v1.SeedReason
			out    []string
			doubts bool
		}{
			{v1.SeedTURNFailed, []string{"turn:a"}, true},
			{v1.SeedTURNFailed, []string{"turn:a", "turns:a"}, true},
			{v1.SeedTURNFailed, []string{"turns:a"}, false},
			{v1.SeedTURNFailed, []string{"turn:a"}, true},
			{v1.SeedDialFailed, []string{"wss://a", "turn:a"}, true},
			{v1.SeedTURNFailed, []string{"turn:a"}, false},
			{v1.SeedDialFailed, []string{"all", "turn:a"}, true},
			{v1.SeedDialFailed, []string{"wss://a"}, false},
			{v1.SeedDialFailed, []string{"wss://b"}, true},
			{v1.SeedTURNFailed, []string{"turn:a"}, true},
			{v1.SeedReached, nil, false},
		} {
			before := w.Look(demo, []Seed{one})[0]
			finds(c.reason, c.out...)
			untilTried()
			if doubts := w.Look(demo, []Seed{one})[0].Equal(before); doubts != c.doubts {
				t.Errorf("from %v to %s without %q: doubted is %v", before, c.reason, c.out, doubts)
			}
			w.after(3 * time.Second)
			if now := w.Look(demo, []Seed{one})[0]; now.Reason != c.reason || !slices.Equal(now.Silent, c.out) {
				t.Errorf("from %v to %s without %q: it is %v", before, c.reason, c.out, now)
			}
		}

		finds(v1.SeedDialFailed, "wss://a", "turn:a")
		w.after(10 * time.Minute)
		tried := w.tried
		if news := w.after(time.Hour); news != 0 {
			t.Errorf("there was news %d times of a seed that stays the same", news)
		}
		if tries := w.tried - tried; tries < 50 || tries > 70 {
			t.Errorf("a seed that is published was tried %d times in an hour", tries)
		}
	})
}

// Of a seed that was never tried before, what does not answer yet is tried once more
// before anything is told.
func TestOneAddressOutAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, later := range map[string]v1.SeedReason{"for a moment": v1.SeedReached, "for longer": v1.SeedTURNFailed} {
			w := newWorld(t)
			one := seed("a", "wss://a")
			w.change(func() { w.reason, w.out = v1.SeedTURNFailed, []string{"turn:a"} })
			w.want(one, v1.SeedNotProbed)
			if news := w.after(time.Second); news != 1 || w.tried != 1 { // of what the seed says of itself
				t.Errorf("%s: news %d times after %d tries", name, news, w.tried)
			}
			w.want(one, v1.SeedNotProbed)
			if w.change(func() { w.reason = later }); later == v1.SeedReached {
				w.change(func() { w.out = nil })
			}
			w.after(repeat)
			w.want(one, later)
		}
	})
}

// The operator does not find itself among a seed's peers.
func TestIsNoPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.change(func() { w.takes = 500 * time.Millisecond })
		one := seed("a", "wss://a")
		for range 200 {
			w.Look(demo, []Seed{one})
			w.after(3 * time.Second)
			if report, _ := w.Report(demo, one.Pod); report == nil || report.Peers != 0 {
				t.Fatalf("a seed without peers says %+v", report)
			}
		}
		// One that answers late is tried before it has.
		w.change(func() { w.takes = 4 * time.Second })
		late := seed("b", "wss://b")
		w.want(late, v1.SeedNotProbed)
		w.after(4500 * time.Millisecond)
		if w.mu.Lock(); w.trying != 1 {
			t.Errorf("it is tried %d times", w.trying)
		}
		w.mu.Unlock()
	})
}

// What was found out about a pod or an address that is another by now is not of the
// new one.
func TestChangesUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.change(func() { w.takes = 3 * time.Second })
		w.want(seed("a", "wss://a"), v1.SeedNotProbed)
		w.after(time.Second)
		moved := seed("a", "wss://b")
		w.want(moved, v1.SeedNotProbed)
		if w.after(2500*time.Millisecond) != 0 {
			t.Error("a look at the old address was news")
		}
		w.want(moved, v1.SeedNotProbed)
		w.after(10 * time.Second)
		w.want(moved, v1.SeedReached)
		again := seed("b", "wss://b") // another pod of the name
		if _, known := w.Report(demo, again.Pod); known {
			t.Error("what the old pod said is told of the new one")
		}
		w.want(again, v1.SeedNotProbed)
		w.after(10 * time.Second)
		w.want(again, v1.SeedReached)
		without := again
		without.Target = nil
		w.want(without, v1.SeedNotProbed)
		tried := w.tried
		w.after(10 * time.Minute)
		if w.tried != tried {
			t.Error("a seed without addresses was tried")
		}
	})
}

// Seeds that answer nothing keep nobody waiting, nor the others' turn for long.
func TestSlowSeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.change(func() { w.takes, w.silent, w.reason = 10*time.Second, true, v1.SeedDialFailed })
		var seeds []Seed
		for i := range 1000 {
			one := seed("a", "wss://a")
			one.Pod.Name = "slow-seed-" + string(rune('a'+i))
			seeds = append(seeds, one)
		}
		start := time.Now()
		w.Look(types.NamespacedName{Name: "slow"}, seeds)
		if took := time.Since(start); took != 0 {
			t.Errorf("looking took %v", took)
		}
		w.after(5 * time.Minute)
		w.change(func() { w.takes, w.silent, w.reason = time.Millisecond, false, v1.SeedReached })
		w.want(seed("b", "wss://b"), v1.SeedNotProbed)
		w.after(30 * time.Second)
		w.want(seed("b", "wss://b"), v1.SeedReached)
	})
}
