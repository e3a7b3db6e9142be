package plan

import (
	"testing"
	"time"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// silent is a seed that does not tell its peers.
const silent = -1

func loads(peers ...int32) []Load {
	var all []Load
	for ordinal, n := range peers {
		load := Load{Ordinal: int32(ordinal)}
		if n != silent {
			load.Peers = &n
		}
		all = append(all, load)
	}
	return all
}

func TestReplicas(t *testing.T) {
	window := int32(300)
	auto := &v1.Autoscaling{MinReplicas: 2, MaxReplicas: 5, PeersPerSeed: 100, ScaleDownWindowSeconds: &window}
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	for name, c := range map[string]struct {
		auto    *v1.Autoscaling
		current int32
		loads   []Load
		since   *time.Time
		want    int32
		fewer   *time.Time
		message string
	}{
		"without autoscaling":             {nil, 2, loads(900, 900), nil, 3, nil, "3 seeds instead of 2: spec.replicas says so"},
		"without autoscaling, as it is":   {nil, 3, loads(900, 900, 900), ago(time.Hour), 3, nil, ""},
		"a new network":                   {auto, 0, nil, nil, 2, nil, "2 seeds: spec.autoscaling allows 2 to 5"},
		"as many as are needed":           {auto, 2, loads(100, 100), nil, 2, nil, ""},
		"one peer more":                   {auto, 2, loads(100, 101), nil, 3, nil, "3 seeds instead of 2: there are 201 peers, for 100 a seed"},
		"many more, all at once":          {auto, 2, loads(200, 250), nil, 5, nil, "5 seeds instead of 2: there are 450 peers, for 100 a seed"},
		"no more than the most":           {auto, 5, loads(900, 900, 900, 900, 900), nil, 5, nil, ""},
		"above the most":                  {auto, 7, loads(10, 10, 10, 10, 10, 10, 10), nil, 5, nil, "5 seeds instead of 7: spec.autoscaling allows 2 to 5"},
		"below the least":                 {auto, 1, loads(10), nil, 2, nil, "2 seeds instead of 1: spec.autoscaling allows 2 to 5"},
		"fewer are enough, since now":     {auto, 4, loads(50, 50, 50, 50), nil, 4, ago(0), ""},
		"fewer are enough, for a while":   {auto, 4, loads(50, 50, 50, 50), ago(299 * time.Second), 4, ago(299 * time.Second), ""},
		"fewer were enough for a window":  {auto, 4, loads(50, 50, 50, 50), ago(300 * time.Second), 3, nil, "3 seeds instead of 4: there are 200 peers, for 100 a seed, and fewer seeds were enough for 5m0s"},
		"one at a time, after a window":   {auto, 3, loads(50, 50, 50, 50), nil, 3, ago(0), ""},
		"fewer are not enough any more":   {auto, 4, loads(80, 80, 80, 80), ago(299 * time.Second), 4, nil, ""},
		"no fewer than the least":         {auto, 2, loads(0, 0), ago(time.Hour), 2, nil, ""},
		"a silent seed counts as full":    {auto, 4, loads(50, 50, silent, 100), ago(time.Hour), 3, nil, "3 seeds instead of 4: there are 200 peers, for 100 a seed, and fewer seeds were enough for 5m0s"},
		"two silent seeds count as full":  {auto, 4, loads(50, 50, silent, silent), ago(time.Hour), 3, nil, "3 seeds instead of 4: there are 100 peers, for 100 a seed, and fewer seeds were enough for 5m0s"},
		"silent seeds keep what there is": {auto, 4, loads(150, 50, silent, silent), ago(time.Hour), 4, nil, ""},
		"silent seeds ask for no more":    {auto, 2, loads(silent, silent), nil, 2, nil, ""},
		"a seed that is not there yet":    {auto, 4, loads(150, 50), ago(time.Hour), 4, nil, ""},
		"peers of a seed that drains":     {auto, 2, loads(90, 90, 30), nil, 3, nil, "3 seeds instead of 2: there are 210 peers, for 100 a seed"},
		"a clock that was set back":       {auto, 4, loads(50, 50, 50, 50), ago(-time.Hour), 4, ago(0), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Replicas(ScaleInput{
				Spec:    &v1.PeerNetworkSpec{Replicas: 3, Autoscaling: c.auto},
				Current: c.current, Loads: c.loads, FewerSince: c.since, Now: now,
			})
			if got.Replicas != c.want || got.Message != c.message {
				t.Errorf("got %d, %q, want %d, %q", got.Replicas, got.Message, c.want, c.message)
			}
			if (got.FewerSince == nil) != (c.fewer == nil) || got.FewerSince != nil && !got.FewerSince.Equal(*c.fewer) {
				t.Errorf("fewer since %v, want %v", got.FewerSince, c.fewer)
			}
		})
	}
}

func TestStep(t *testing.T) {
	for name, c := range map[string]struct {
		current, desired int32
		present          []int32
		want             int32
	}{
		"as it is":                    {3, 3, []int32{0, 1, 2}, 3},
		"more, at once":               {2, 5, []int32{0, 1}, 5},
		"more, while one still goes":  {2, 5, []int32{0, 1, 2}, 5},
		"fewer, one first":            {4, 2, []int32{0, 1, 2, 3}, 3},
		"fewer, the first still goes": {3, 2, []int32{0, 1, 2, 3}, 3},
		"fewer, the first has gone":   {3, 2, []int32{0, 1, 2}, 2},
		"fewer, one never came":       {4, 2, []int32{0}, 3},
	} {
		if got := Step(c.current, c.desired, c.present); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// However many peers there are and whoever is silent, the number stays within its
// bounds, and goes down by one at most.
func FuzzReplicas(f *testing.F) {
	f.Add(int32(2), int32(5), int32(100), int32(3), int32(70), uint8(1), int64(300))
	f.Add(int32(0), int32(0), int32(0), int32(0), int32(-1), uint8(255), int64(-1))
	f.Add(int32(64), int32(1), int32(1), int32(1<<30), int32(1<<30), uint8(0), int64(1)<<40)
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, least, most, target, current, peers int32, quiet uint8, ago int64) {
		current = min(max(current, 0), 100)
		var all []Load
		for ordinal := range current {
			load := Load{Ordinal: ordinal}
			if uint8(ordinal)&quiet == 0 && peers >= 0 {
				load.Peers = &peers
			}
			all = append(all, load)
		}
		since := now.Add(-time.Duration(ago % (1 << 20) * int64(time.Second)))
		auto := &v1.Autoscaling{MinReplicas: least, MaxReplicas: most, PeersPerSeed: target}
		got := Replicas(ScaleInput{Spec: &v1.PeerNetworkSpec{Autoscaling: auto}, Current: current, Loads: all, FewerSince: &since, Now: now})
		low, high := max(least, 1), max(most, least, 1)
		if got.Replicas < low || got.Replicas > high {
			t.Errorf("%d seeds, for bounds of %d to %d", got.Replicas, low, high)
		}
		if current <= high && got.Replicas < current-1 {
			t.Errorf("%d seeds instead of %d", got.Replicas, current)
		}
		if (got.Replicas != current) != (got.Message != "") {
			t.Errorf("%d seeds instead of %d, and says %q", got.Replicas, current, got.Message)
		}
	})
}
