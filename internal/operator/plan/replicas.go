package plan

import (
	"fmt"
	"time"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Load is how many peers one seed has.
type Load struct {
	Ordinal int32
	// Peers is nil for a seed that did not tell, such as one that starts.
	Peers *int32
}

// ScaleInput is what the number of seeds depends on.
type ScaleInput struct {
	// Spec is the network's. Without autoscaling nothing else counts.
	Spec *v1.PeerNetworkSpec
	// Current is the number that was decided on last, or that is there if that is not
	// known; 0 for a new network.
	Current int32
	// Loads are those of the seeds that exist, those that drain too.
	Loads []Load
	// FewerSince is what the last decision said.
	FewerSince *time.Time
	Now        time.Time
}

// ScaleDecision is how many seeds there are to be.
type ScaleDecision struct {
	Replicas int32
	// FewerSince is since when fewer would have been enough; nil if they would not.
	FewerSince *time.Time
	// Message says for a person why the number changes, and is empty if it does not.
	Message string
}

// Replicas decides on the number of seeds. More come at once; one at a time goes,
// each after a window of its own, since the peers of the one that went before it
// have to be counted again where they went.
//
// A seed that does not tell its peers counts as none when more seeds are considered
// and as full when fewer are: what is not known changes nothing.
func Replicas(in ScaleInput) ScaleDecision {
	auto := in.Spec.Autoscaling
	if auto == nil {
		return ScaleDecision{Replicas: max(in.Spec.Replicas, 1), Message: changed(in.Current, max(in.Spec.Replicas, 1), "spec.replicas says so")}
	}
	least, most := max(auto.MinReplicas, 1), max(auto.MaxReplicas, auto.MinReplicas, 1)
	target := int64(max(auto.PeersPerSeed, 1))
	if in.Current < least || in.Current > most {
		bounded := min(max(in.Current, least), most)
		return ScaleDecision{Replicas: bounded, Message: changed(in.Current, bounded, fmt.Sprintf("spec.autoscaling allows %d to %d", least, most))}
	}

	var peers, silent int64
	told := make(map[int32]bool)
	for _, load := range in.Loads {
		if load.Peers != nil {
			peers += int64(*load.Peers)
			told[load.Ordinal] = true
		}
	}
	for ordinal := range in.Current {
		if !told[ordinal] {
			silent++
		}
	}
	why := fmt.Sprintf("there are %d peers, for %d a seed", peers, target)
	needed := bounded(ceil(peers, target), least, most)
	if needed > in.Current {
		return ScaleDecision{Replicas: needed, Message: changed(in.Current, needed, why)}
	}
	enough := bounded(ceil(peers, target)+silent, least, most)
	if enough >= in.Current {
		return ScaleDecision{Replicas: in.Current}
	}
	since := in.Now
	if in.FewerSince != nil && in.FewerSince.Before(in.Now) {
		since = *in.FewerSince
	}
	window := Window(auto)
	if in.Now.Sub(since) < window {
		return ScaleDecision{Replicas: in.Current, FewerSince: &since}
	}
	return ScaleDecision{
		Replicas: in.Current - 1,
		Message:  changed(in.Current, in.Current-1, fmt.Sprintf("%s, and fewer seeds were enough for %s", why, window)),
	}
}

// Window is for how long fewer seeds have to be enough.
func Window(auto *v1.Autoscaling) time.Duration {
	if auto.ScaleDownWindowSeconds == nil {
		return 10 * time.Minute // the schema's default
	}
	return time.Duration(*auto.ScaleDownWindowSeconds) * time.Second
}

// Step is how many seeds the StatefulSet is to run on the way from current to
// desired: more at once, fewer one at a time. present are the ordinals of the pods
// that exist, those that drain too: the next one goes when the last one has.
func Step(current, desired int32, present []int32) int32 {
	if desired >= current {
		return desired
	}
	for _, ordinal := range present {
		if ordinal >= current {
			return current
		}
	}
	return current - 1
}

func changed(from, to int32, why string) string {
	switch {
	case from == to:
		return ""
	case from == 0:
		return plural(int(to), "seed", "seeds") + ": " + why
	}
	return fmt.Sprintf("%s instead of %d: %s", plural(int(to), "seed", "seeds"), from, why)
}

func ceil(n, by int64) int64 { return (n + by - 1) / by }

func bounded(n int64, least, most int32) int32 {
	return int32(min(max(n, int64(least)), int64(most)))
}
