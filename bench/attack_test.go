package main

import "testing"

func TestAttackIsStrong(t *testing.T) {
	for _, test := range []struct {
		round attackRound
		want  bool
	}{
		{attackRound{answers: attackerAnswers, allocations: attackerAllocations}, true},
		{attackRound{answers: attackerAnswers / 2, allocations: attackerAllocations}, false},
		{attackRound{answers: attackerAnswers, allocations: attackerAllocations - 1}, false},
	} {
		if got := test.round.strong(); got != test.want {
			t.Errorf("%+v is strong: %v", test.round, got)
		}
	}
}
