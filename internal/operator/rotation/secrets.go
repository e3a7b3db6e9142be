package rotation

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Spread is the time after which every seed has read a Secret that was changed: the
// kubelet looks at Secrets every one to two minutes, and seeds at files every few
// seconds.
const Spread = 5 * time.Minute

// secretBytes is how long a secret is before it is written in hex.
const secretBytes = 32

// Schedule is when secrets are replaced.
type Schedule struct {
	// Every is how long a secret is used.
	Every time.Duration
	// Good is how long what is made of a secret may be used.
	Good time.Duration
}

// Secrets are secrets with the times they were made, the oldest first.
type Secrets []secret

type secret struct {
	Value   string    `json:"value"`
	Created time.Time `json:"created"`
}

// Read reads what [Secrets.Encode] wrote; nothing is none. What cannot be read is an
// error, since to start over would refuse everything that is out.
func Read(encoded []byte) (Secrets, error) {
	if len(encoded) == 0 {
		return nil, nil
	}
	var s Secrets
	if err := json.Unmarshal(encoded, &s); err != nil {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	for _, one := range s {
		if one.Value == "" || strings.ContainsAny(one.Value, "\r\n") {
			return nil, errors.New("read secrets: one is empty, or has more than a line")
		}
	}
	slices.SortStableFunc(s, func(a, b secret) int { return a.Created.Compare(b.Created) })
	return s, nil
}

// Encode is for [Read].
func (s Secrets) Encode() []byte {
	encoded, _ := json.Marshal(s) // texts and times: it cannot fail
	return encoded
}

// Rotate returns the secrets as they are to be now, and when to look again.
func (s Secrets) Rotate(schedule Schedule, now time.Time) (Secrets, time.Time) {
	if len(s) == 0 || !now.Before(s.newest().Created.Add(schedule.Every)) {
		var random [secretBytes]byte
		rand.Read(random[:]) // never fails
		s = append(slices.Clone(s), secret{hex.EncodeToString(random[:]), now.UTC().Truncate(time.Second)})
	}
	again := s.newest().Created.Add(schedule.Every)
	sooner := func(at time.Time) {
		if at.After(now) && at.Before(again) {
			again = at
		}
	}
	kept := s[:0:0]
	for i, one := range s {
		if i+1 < len(s) {
			// Each seed uses the next one at the latest a Spread after it is used at all.
			used := s[i+1].Created.Add(Spread)
			gone := used.Add(Spread + schedule.Good)
			if !now.Before(gone) {
				continue
			}
			sooner(used)
			sooner(gone)
		}
		kept = append(kept, one)
	}
	return kept, again
}

// File is how seeds read them, one a line: the one to use first, and those that are
// good besides.
func (s Secrets) File(now time.Time) []byte {
	if len(s) == 0 {
		return nil
	}
	use := s.used(now)
	lines := s[use].Value + "\n"
	for i, one := range slices.Backward(s) {
		if i != use {
			lines += one.Value + "\n"
		}
	}
	return []byte(lines)
}

// used is the newest that every seed knows, or else the oldest.
func (s Secrets) used(now time.Time) int {
	for i := len(s) - 1; i > 0; i-- {
		if !now.Before(s[i].Created.Add(Spread)) {
			return i
		}
	}
	return 0
}

func (s Secrets) newest() secret { return s[len(s)-1] }
