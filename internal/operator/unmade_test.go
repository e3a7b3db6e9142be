package operator

import (
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestLastRefusal(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	older := func(note string, at time.Duration) eventsv1.Event { // as the StatefulSet's controller tells
		return eventsv1.Event{Note: note, DeprecatedLastTimestamp: metav1.NewTime(ago(at))}
	}
	repeated := eventsv1.Event{
		Note: "create Pod demo-seed-1 in a series", EventTime: metav1.NewMicroTime(ago(time.Hour)),
		Series: &eventsv1.EventSeries{LastObservedTime: metav1.NewMicroTime(ago(time.Second))},
	}
	for name, c := range map[string]struct {
		events []eventsv1.Event
		want   string
	}{
		"nothing was said": {},
		"too long ago":     {events: []eventsv1.Event{older("create Pod demo-seed-1 of old", refusalTime+time.Second)}},
		"the last": {
			events: []eventsv1.Event{older("create Pod demo-seed-1 before", time.Minute), older("create Pod demo-seed-1 last", time.Second), older("create Pod demo-seed-1 first", time.Hour)},
			want:   "create Pod demo-seed-1 last",
		},
		"of the same pod": {
			events: []eventsv1.Event{older("create Pod demo-seed-1 a minute ago", time.Minute), older("create Pod demo-seed-10 now", 0)},
			want:   "create Pod demo-seed-1 a minute ago",
		},
		"of another pod": {
			events: []eventsv1.Event{older("create Pod demo-seed-2 now", 0)},
			want:   "create Pod demo-seed-2 now",
		},
		"in a series": {
			events: []eventsv1.Event{older("create Pod demo-seed-1 a minute ago", time.Minute), repeated},
			want:   "create Pod demo-seed-1 in a series",
		},
	} {
		if got := lastRefusal(c.events, "demo-seed-1", now); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
