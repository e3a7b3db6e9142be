package lookout

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
)

// How often seeds are looked at.
const (
	askEvery   = 30 * time.Second // for what they say of themselves
	reachEvery = time.Minute      // at their addresses
	// repeat is when what failed for the first time, or in part at first, is tried again.
	repeat = 2 * time.Second
	// A seed that is not reached is tried again after retryLeast, and then after twice as
	// long each time, up to retryMost.
	retryLeast = 5 * time.Second
	retryMost  = 2 * time.Minute
	askTime    = 5 * time.Second
	// A seed is asked before it is tried, since while it is tried it counts us among its
	// peers. If it takes longer than askFirst it is tried all the same.
	askFirst = time.Second
	// atOnce is how many are looked at: most of the time of those that fail is spent waiting.
	atOnce = 128
)

// Seeds asks the seeds themselves. [probe.Prober] does.
type Seeds interface {
	// Status asks a pod's private port.
	Status(ctx context.Context, pod *corev1.Pod) (probe.Report, error)
	// Reach connects to a seed as clients do.
	Reach(ctx context.Context, target probe.Target) probe.Sighting
}

// Config configures a [Lookout].
type Config struct {
	Seeds Seeds
	// Changed is told of networks of which there is news. It is called by many at a
	// time, and may wait until ctx ends.
	Changed func(ctx context.Context, network types.NamespacedName)
	// Counted is told of networks of which no more is new than how many peers a seed
	// has, unless something depends on that: see [Seed]. It is called as Changed is.
	Counted func(ctx context.Context, network types.NamespacedName)
	// Asked and Tried are told each result, for metrics. Nil is nobody.
	Asked func(answered bool)
	Tried func(reason v1.SeedReason)
}

// Lookout looks at seeds from [Lookout.Look] on, while [Lookout.Run] runs.
type Lookout struct {
	// Static after construction.
	config Config
	queue  workqueue.TypedDelayingInterface[key]

	mu sync.Mutex
	// Guarded by mu.
	networks map[types.NamespacedName]map[string]*watched // by the name of the pod
}

type key struct {
	network types.NamespacedName
	pod     string
}

// Seed is one to look at.
type Seed struct {
	Pod *corev1.Pod
	// Target is where clients find it; nil is not to be tried.
	Target *probe.Target
	// Load tells that the number of its peers is of consequence: another one is news.
	Load bool
}

// watched is one seed.
type watched struct {
	seed Seed

	asked  bool // what report is of
	report *probe.Report
	silent int // times in a row
	askAt  time.Time

	sighting probe.Sighting // [v1.SeedNotProbed] before the first try
	failed   int            // times in a row
	doubted  bool           // whether the last try is repeated, see doubts
	reachAt  time.Time
}

// New returns a lookout that knows of no seed.
func New(config Config) *Lookout {
	return &Lookout{config: config, queue: workqueue.NewTypedDelayingQueue[key](), networks: make(map[types.NamespacedName]map[string]*watched)}
}

// Report is what the seed in a pod said when it was asked last: nil if it did not
// answer. Until it was asked, known is false.
func (l *Lookout) Report(network types.NamespacedName, pod *corev1.Pod) (report *probe.Report, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.networks[network][pod.Name]
	if w == nil || !samePod(w.seed.Pod, pod) {
		return nil, false
	}
	return w.report, w.asked
}

// Look has the seeds of a network be looked at, and no others of it, and tells what is
// known of each.
func (l *Lookout) Look(network types.NamespacedName, seeds []Seed) []probe.Sighting {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.networks[network]
	now := make(map[string]*watched)
	var sightings []probe.Sighting
	for _, seed := range seeds {
		w := before[seed.Pod.Name]
		if w == nil || !samePod(w.seed.Pod, seed.Pod) {
			w = &watched{}
		}
		// What is being found out about another target is dropped: see take.
		if w.seed.Pod == nil || !sameTarget(w.seed.Target, seed.Target) {
			w = &watched{asked: w.asked, report: w.report, silent: w.silent, askAt: w.askAt, sighting: probe.Sighting{Reason: v1.SeedNotProbed}}
			l.queue.Add(key{network, seed.Pod.Name})
		}
		w.seed = seed
		now[seed.Pod.Name] = w
		sightings = append(sightings, w.sighting)
	}
	if len(now) == 0 {
		delete(l.networks, network)
	} else {
		l.networks[network] = now
	}
	return sightings
}

// Run looks at seeds until ctx ends.
func (l *Lookout) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, l.queue.ShutDown)
	defer stop()
	var workers errgroup.Group
	for range atOnce {
		workers.Go(func() error {
			for {
				one, ended := l.queue.Get()
				if ended {
					return nil
				}
				l.visit(ctx, one)
				l.queue.Done(one)
			}
		})
	}
	return workers.Wait()
}

// Close ends a lookout that was not run.
func (l *Lookout) Close() { l.queue.ShutDown() }

// visit looks at one seed, as far as it is due.
func (l *Lookout) visit(ctx context.Context, one key) {
	w, seed, ask, reach := l.take(one)
	if w == nil {
		return
	}
	var (
		report   *probe.Report
		sighting probe.Sighting
		both     errgroup.Group
	)
	asked := make(chan struct{})
	if !ask {
		close(asked)
	} else {
		both.Go(func() error {
			defer close(asked)
			ctx, cancel := context.WithTimeout(ctx, askTime)
			defer cancel()
			if said, err := l.config.Seeds.Status(ctx, seed.Pod); err == nil {
				report = &said
			}
			return nil
		})
	}
	if reach {
		both.Go(func() error {
			select {
			case <-asked:
			case <-time.After(askFirst):
			}
			sighting = l.config.Seeds.Reach(ctx, *seed.Target)
			return nil
		})
	}
	_ = both.Wait() // neither fails
	if ctx.Err() != nil {
		return // what did not answer had no time to
	}
	if ask && l.config.Asked != nil {
		l.config.Asked(report != nil)
	}
	if reach && l.config.Tried != nil {
		l.config.Tried(sighting.Reason)
	}
	switch l.put(one, w, ask, report, reach, sighting) {
	case news:
		l.config.Changed(ctx, one.network)
	case count:
		l.config.Counted(ctx, one.network)
	}
}

// take tells what is due of a seed, and has it come back if nothing is; nil is a seed
// that is not looked at any more.
func (l *Lookout) take(one key) (w *watched, seed Seed, ask, reach bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w = l.networks[one.network][one.pod]; w == nil {
		return nil, Seed{}, false, false
	}
	now := time.Now()
	ask = !now.Before(w.askAt)
	reach = w.seed.Target != nil && !now.Before(w.reachAt)
	if !ask && !reach {
		l.comeBack(one, w, now)
		return nil, Seed{}, false, false
	}
	return w, w.seed, ask, reach
}

// novelty is how new something is: not, or only that a seed has more or fewer peers, or
// more.
type novelty int

const (
	known novelty = iota
	count
	news
)

// put keeps what was found, and tells how new it is. What was found of a seed that
// is another by now is not kept.
func (l *Lookout) put(one key, w *watched, ask bool, report *probe.Report, reach bool, sighting probe.Sighting) novelty {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.networks[one.network][one.pod] != w {
		return known
	}
	now := time.Now()
	found := known
	if ask {
		found = w.hear(now, report)
	}
	if reach && w.see(now, sighting) {
		found = news
	}
	l.comeBack(one, w, now)
	return found
}

func (l *Lookout) comeBack(one key, w *watched, now time.Time) {
	at := w.askAt
	if w.seed.Target != nil && w.reachAt.Before(at) {
		at = w.reachAt
	}
	l.queue.AddAfter(one, at.Sub(now))
}

// hear takes what a seed said of itself, and tells how new it is.
func (w *watched) hear(now time.Time, report *probe.Report) novelty {
	w.askAt = now.Add(jitter(askEvery))
	if report != nil {
		w.silent = 0
	} else if w.silent++; w.silent == 1 && w.report != nil {
		w.askAt = now.Add(repeat)
		return known
	}
	before := w.report
	if w.asked && equal(before, report) {
		return known
	}
	first := !w.asked
	w.asked, w.report = true, report
	if first || before == nil || report == nil || before.Draining != report.Draining || w.seed.Load {
		return news
	}
	return count
}

// see takes how it was to reach a seed, and tells whether it is news.
func (w *watched) see(now time.Time, sighting probe.Sighting) bool {
	after := reachEvery
	if sighting.Reason == v1.SeedReached {
		w.failed, w.doubted = 0, false
	} else {
		w.failed++
		if w.doubted = !w.doubted && w.doubts(sighting); w.doubted {
			w.reachAt = now.Add(repeat)
			return false
		}
		after = min(retryLeast<<min(w.failed-1, 8), retryMost)
		if sighting.Reachable {
			after = min(after, reachEvery) // it has addresses that are published
		}
	}
	w.reachAt = now.Add(jitter(after))
	if w.sighting.Equal(sighting) {
		return false
	}
	w.sighting = sighting
	return true
}

// doubts tells whether a try has to be repeated before it counts: it lost something, or
// it is the first one of a seed and reached it in part, since ports of nodes are open
// one after the other.
func (w *watched) doubts(sighting probe.Sighting) bool {
	return w.sighting.Loses(sighting) || w.sighting.Reason == v1.SeedNotProbed && sighting.Reachable
}

// jitter is about so long: seeds that were found at the same time are not looked at
// at the same time for ever.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5) //nolint:gosec // nobody gains by guessing it
}

func samePod(a, b *corev1.Pod) bool {
	return a != nil && a.UID == b.UID && a.Status.PodIP == b.Status.PodIP
}

func sameTarget(a, b *probe.Target) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.NetworkID == b.NetworkID && slices.Equal(a.Addresses, b.Addresses) &&
		slices.Equal(a.TURN, b.TURN) && slices.Equal(a.Authorities, b.Authorities)
}

func equal(a, b *probe.Report) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
