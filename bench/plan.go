package main

import "time"

// plan says how much is measured.
type plan struct {
	rounds int  // of each rate, the two servers in turns
	warm   span // load before the measured window
	warmJS span // the same for the npm seed, which does half as much until its code has been compiled
	window span

	peers  []int         // how many idle peers there are each time that memory is read
	settle time.Duration // until memory is read

	attacks int           // how often the attacker comes, each time to a new seed
	attack  time.Duration // that times are taken for, without the attacker and beside it

	copies    int   // of each way to copy data, in turns
	copyBytes int64 // of one
}

// span is a time of the server's, so that it is as long on a busy machine, though no longer than can be waited for.
type span struct {
	cpu    time.Duration // the server's processor time
	atMost time.Duration // on the clock
}

// fullPlan takes two to four minutes.
func fullPlan() plan {
	return plan{
		rounds: 3,
		warm:   span{cpu: 300 * time.Millisecond, atMost: 2 * time.Second},
		warmJS: span{cpu: 3 * time.Second, atMost: 6 * time.Second},
		window: span{cpu: 2 * time.Second, atMost: 4 * time.Second},
		peers:  []int{2000, 3000, 4000}, settle: 1500 * time.Millisecond,
		attacks: 5, attack: 4 * time.Second,
		copies: 25, copyBytes: 256 << 20,
	}
}

// shortPlan takes less than a minute. It shows that everything runs; its ratios are rough.
func shortPlan() plan {
	return plan{
		rounds: 1,
		warm:   span{cpu: 200 * time.Millisecond, atMost: time.Second},
		warmJS: span{cpu: 1500 * time.Millisecond, atMost: 3 * time.Second},
		window: span{cpu: 800 * time.Millisecond, atMost: 2 * time.Second},
		peers:  []int{1000}, settle: 500 * time.Millisecond,
		attacks: 1, attack: 2 * time.Second,
		copies: 5, copyBytes: 128 << 20,
	}
}
