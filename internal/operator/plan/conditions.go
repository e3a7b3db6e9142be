package plan

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Facts are what the conditions of a network are about.
type Facts struct {
	// Generation is that of the spec.
	Generation int64
	// Problem is why the seeds are not as the spec says: nil, or ReasonInvalidSpec,
	// ReasonSecretMissing or ReasonReconcileFailed, and what to do.
	Problem *Finding
	// Certificate is what was found of the certificate, and CertificateReady whether
	// seeds can use it.
	Certificate      Finding
	CertificateReady bool

	// Desired is how many seeds there are to be, Seeds those that exist, and Updated
	// how many of them are as the spec says. While the last change of the seeds is
	// Unseen by the cluster, Updated is not known.
	Desired int32
	Seeds   []v1.SeedStatus
	Updated int32
	Unseen  bool
	// New tells that all seeds have yet to become ready for the first time, and Added
	// that it is so since there are to be more of them.
	New, Added bool
	// Unmade is why seeds have no pods, as far as it is known.
	Unmade string
	// Stalled is what keeps a seed from becoming ready; empty if nothing does.
	Stalled string
}

// Finding is a reason of a condition, and its message.
type Finding struct{ Reason, Message string }

// Conditions are all conditions of a network, without the times of their changes.
func Conditions(f Facts) []metav1.Condition {
	if f.Problem != nil {
		return problem(f)
	}
	condition := func(kind string, status bool, found Finding) metav1.Condition {
		c := metav1.Condition{Type: kind, Status: metav1.ConditionFalse, ObservedGeneration: f.Generation, Reason: found.Reason, Message: found.Message}
		if status {
			c.Status = metav1.ConditionTrue
		}
		return c
	}
	count := countSeeds(f.Seeds)
	available, whyAvailable := count.available(f.lookAt())
	progressing, whyProgressing := f.progressing(count)
	published, whyPublished := count.publication(f)
	return []metav1.Condition{
		condition(v1.ConditionAvailable, available, whyAvailable),
		condition(v1.ConditionProgressing, progressing, whyProgressing),
		condition(v1.ConditionPublished, published, whyPublished),
		condition(v1.ConditionCertificateReady, f.CertificateReady, f.Certificate),
	}
}

// problem says the same of everything: what was true before may not be any more.
func problem(f Facts) []metav1.Condition {
	status := metav1.ConditionFalse
	if f.Problem.Reason == v1.ReasonReconcileFailed {
		status = metav1.ConditionUnknown
	}
	var all []metav1.Condition
	for _, kind := range []string{v1.ConditionAvailable, v1.ConditionProgressing, v1.ConditionPublished, v1.ConditionCertificateReady} {
		all = append(all, metav1.Condition{Type: kind, Status: status, ObservedGeneration: f.Generation, Reason: f.Problem.Reason, Message: f.Problem.Message})
	}
	return all
}

// counts are how many seeds there are of each kind.
type counts struct{ all, ready, draining, published, addressless int }

func countSeeds(seeds []v1.SeedStatus) counts {
	c := counts{all: len(seeds)}
	for _, seed := range seeds {
		if seed.Draining {
			c.draining++
			continue
		}
		if !seed.Ready {
			continue
		}
		c.ready++
		switch {
		case seed.Published():
			c.published++
		case len(seed.Addresses) == 0:
			c.addressless++
		}
	}
	return c
}

// lookAt names the conditions that tell why no seed takes connections: seeds start with
// a certificate only.
func (f Facts) lookAt() string {
	if !f.CertificateReady {
		return v1.ConditionCertificateReady + " and " + v1.ConditionProgressing
	}
	return v1.ConditionProgressing
}

func (c counts) available(otherwise string) (bool, Finding) {
	switch {
	case c.published > 0:
		return true, Finding{v1.ReasonSeedsReachable, fmt.Sprintf("%s reached at published addresses", plural(c.published, "seed is", "seeds are"))}
	case c.ready > 0:
		return false, Finding{v1.ReasonNoSeedReachable, fmt.Sprintf("%s connections, and none is reached from outside; kubectl describe shows why for each, under Seeds", plural(c.ready, "seed takes", "seeds take"))}
	}
	return false, Finding{v1.ReasonNoSeedReady, "no seed takes connections; see " + otherwise}
}

func (f Facts) progressing(c counts) (bool, Finding) {
	staying := c.all - c.draining
	desired := int(f.Desired)
	done := fmt.Sprintf("%d of %d seeds are ready", c.ready, desired)
	if staying > c.ready {
		done += "; kubectl describe shows what the others wait for, under Seeds"
	}
	unmade := ""
	if f.Unmade != "" {
		unmade = "; " + f.Unmade
	}
	done += unmade
	switch {
	case f.Stalled != "":
		return false, Finding{v1.ReasonStalled, f.Stalled}
	case f.New && c.ready < desired:
		return true, Finding{v1.ReasonCreating, done}
	case staying > desired || staying == desired && c.draining > 0 && (f.Unseen || int(f.Updated) >= c.all):
		return true, Finding{v1.ReasonScalingDown, fmt.Sprintf("%s to go, one at a time, until there are %d", plural(c.all-desired, "seed has", "seeds have"), desired)}
	case !f.Unseen && (int(f.Updated) < min(c.all, desired) || c.draining > 0):
		return true, Finding{v1.ReasonRollingOut, fmt.Sprintf("%d of %d seeds are as the spec says; one at a time is replaced", f.Updated, desired) + unmade}
	case c.ready < desired && f.Added:
		return true, Finding{v1.ReasonScalingUp, done}
	case c.ready < desired:
		return true, Finding{v1.ReasonRollingOut, done}
	case f.Unseen:
		return true, Finding{v1.ReasonRollingOut, "the cluster has not seen the last change of the seeds yet"}
	}
	return false, Finding{v1.ReasonComplete, fmt.Sprintf("all of %d seeds are ready", desired)}
}

func (c counts) publication(f Facts) (bool, Finding) {
	switch {
	case c.ready == 0:
		return false, Finding{v1.ReasonNothingToPublish, "no seed takes connections; see " + f.lookAt()}
	case c.addressless > 0:
		return false, Finding{v1.ReasonAddressesPending, withheld(f.Seeds, func(s v1.SeedStatus) bool { return len(s.Addresses) == 0 })}
	case c.published < c.ready:
		return false, Finding{v1.ReasonSeedsWithheld, withheld(f.Seeds, func(v1.SeedStatus) bool { return true })}
	case c.draining > 0:
		return false, Finding{v1.ReasonSeedsWithheld, fmt.Sprintf("%s to go, and its addresses are withdrawn", plural(c.draining, "seed is about", "seeds are about"))}
	}
	message := fmt.Sprintf("the addresses of %s published", plural(c.published, "seed are", "seeds are"))
	if without := each(f.Seeds, lacksSome); without != "" {
		message += ", without those that are not reached: " + without
	}
	return true, Finding{v1.ReasonAllSeedsPublished, message}
}

// shownSeeds is how many seeds a message tells of one by one.
const shownSeeds = 3

// withheld tells of the seeds that take connections and are not published.
func withheld(seeds []v1.SeedStatus, which func(v1.SeedStatus) bool) string {
	return each(seeds, func(s v1.SeedStatus) bool { return s.Ready && !s.Draining && !s.Published() && which(s) })
}

// lacksSome tells of a seed that is published whether it is without some of its addresses.
func lacksSome(s v1.SeedStatus) bool { return s.Published() && s.Reason != v1.SeedReached }

// each is the messages of some of the seeds.
func each(seeds []v1.SeedStatus, which func(v1.SeedStatus) bool) string {
	var shown []string
	more := 0
	for _, seed := range seeds {
		switch {
		case !which(seed):
		case len(shown) == shownSeeds:
			more++
		default:
			shown = append(shown, seed.Name+": "+seed.Message)
		}
	}
	if more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, "; ")
}

// plural is a number with the words for one, or for others.
func plural(n int, one, other string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, other)
}
