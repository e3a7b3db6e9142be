package rotation

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var begin = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// Whatever a seed with the newest file makes of its secret is taken by a seed with a
// file that is a Spread older, and the other way round, until it is not good any more.
func TestSeedsTakeEachOthers(t *testing.T) {
	for _, schedule := range []Schedule{
		{Every: 30 * 24 * time.Hour, Good: time.Hour},
		{Every: 10 * time.Minute, Good: time.Minute},
		{Every: 2 * time.Hour, Good: time.Hour},
	} {
		step := schedule.Every / 60
		var s Secrets
		var files [][]string
		ago := func(d time.Duration) [][]string { // the files that a seed may have now
			return files[max(0, len(files)-1-int(d/step)):]
		}
		rotated := 0
		for now := begin; now.Before(begin.Add(4*schedule.Every + time.Hour)); now = now.Add(step) {
			next, again := s.Rotate(schedule, now)
			if !again.After(now) {
				t.Fatalf("to be looked at %v, at %v", again, now)
			}
			if len(s) > 0 && next.newest() != s.newest() {
				rotated++
			}
			s = next
			if len(s) > 3 {
				t.Fatalf("there are %d secrets", len(s))
			}
			files = append(files, strings.Fields(string(s.File(now))))
			newest := files[len(files)-1]
			for _, older := range ago(Spread - step) {
				if !slices.Contains(older, newest[0]) {
					t.Fatalf("%v, %v: a seed does not know yet what another one uses", schedule, now)
				}
			}
			for _, older := range ago(schedule.Good) {
				if !slices.Contains(newest, older[0]) {
					t.Fatalf("%v, %v: what was made of a secret %v ago is refused", schedule, now, schedule.Good)
				}
			}
		}
		if rotated < 4 {
			t.Errorf("%v: rotated %d times", schedule, rotated)
		}
	}
}

// Between the times at which it is to be looked, nothing changes, and at them
// something does.
func TestRotateSaysWhen(t *testing.T) {
	schedule := Schedule{Every: 24 * time.Hour, Good: time.Hour}
	s, again := Secrets(nil).Rotate(schedule, begin)
	for range 12 {
		before := again.Add(-time.Second)
		if same, at := s.Rotate(schedule, before); !reflect.DeepEqual(same, s) || !at.Equal(again) {
			t.Fatalf("%v changes before %v", s, again)
		}
		next, at := s.Rotate(schedule, again)
		if reflect.DeepEqual(next, s) && slices.Equal(next.File(again), s.File(before)) {
			t.Fatalf("nothing changes at %v", again)
		}
		s, again = next, at
	}
}

func TestRead(t *testing.T) {
	s, _ := Secrets(nil).Rotate(Schedule{Every: time.Hour, Good: time.Minute}, begin)
	s, _ = s.Rotate(Schedule{Every: time.Hour, Good: time.Minute}, begin.Add(time.Hour))
	if len(s) != 2 || len(s[0].Value) != 64 {
		t.Fatalf("there are %v", s)
	}
	if got, err := Read(s.Encode()); err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("read %v, %v, want %v", got, err, s)
	}
	if got, err := Read(nil); err != nil || got != nil || got.File(begin) != nil {
		t.Errorf("nothing is read as %v, %v", got, err)
	}
	for _, broken := range []string{"x", `[{"value":""}]`, `[{"value":"a\nb"}]`, `{}`} {
		if got, err := Read([]byte(broken)); err == nil {
			t.Errorf("%s is read as %v", broken, got)
		}
	}
}
