package operator

import v1 "github.com/peerexchange/peerexchange/api/v1"

// conditionReasons are all reasons of each condition.
var conditionReasons = []struct {
	condition string
	reasons   []string
}{
	{v1.ConditionAvailable, []string{v1.ReasonSeedsReachable, v1.ReasonInvalidSpec, v1.ReasonSecretMissing, v1.ReasonNoSeedReady, v1.ReasonNoSeedReachable, v1.ReasonReconcileFailed}},
	{v1.ConditionProgressing, []string{
		v1.ReasonCreating, v1.ReasonRollingOut, v1.ReasonScalingUp, v1.ReasonScalingDown, v1.ReasonComplete,
		v1.ReasonInvalidSpec, v1.ReasonSecretMissing, v1.ReasonStalled, v1.ReasonReconcileFailed,
	}},
	{v1.ConditionPublished, []string{
		v1.ReasonAllSeedsPublished, v1.ReasonSeedsWithheld, v1.ReasonAddressesPending, v1.ReasonNothingToPublish,
		v1.ReasonInvalidSpec, v1.ReasonSecretMissing, v1.ReasonReconcileFailed,
	}},
	{v1.ConditionCertificateReady, []string{
		v1.ReasonSelfSigned, v1.ReasonIssued, v1.ReasonProvided, v1.ReasonSecretMissing, v1.ReasonSecretInvalid, v1.ReasonCertificateExpired,
		v1.ReasonNamesMissing, v1.ReasonCertManagerMissing, v1.ReasonIssuing, v1.ReasonInvalidSpec, v1.ReasonReconcileFailed,
	}},
}

// seedReasons are all reasons of seeds.
var seedReasons = []v1.SeedReason{
	v1.SeedReached, v1.SeedPending, v1.SeedDraining, v1.SeedNoAddress, v1.SeedNotProbed,
	v1.SeedResolveFailed, v1.SeedDialFailed, v1.SeedTLSFailed, v1.SeedHandshakeFailed, v1.SeedSTUNFailed, v1.SeedTURNFailed,
}

// probeReasons are those that a try to reach a seed may have.
var probeReasons = []v1.SeedReason{
	v1.SeedReached, v1.SeedResolveFailed, v1.SeedDialFailed, v1.SeedTLSFailed, v1.SeedHandshakeFailed, v1.SeedSTUNFailed, v1.SeedTURNFailed,
}

// writtenKinds are what the operator writes.
var writtenKinds = []string{
	"Certificate", "ConfigMap", "NetworkPolicy", "PeerNetwork", "Pod", "PodDisruptionBudget", "Secret", "Service", "ServiceAccount", "StatefulSet",
}

var conditionNames, reasonNames = allConditions()

func allConditions() (conditions, reasons []string) {
	seen := make(map[string]bool)
	for _, one := range conditionReasons {
		conditions = append(conditions, one.condition)
		for _, reason := range one.reasons {
			if !seen[reason] {
				seen[reason] = true
				reasons = append(reasons, reason)
			}
		}
	}
	return conditions, reasons
}

func names(reasons []v1.SeedReason) []string {
	var all []string
	for _, reason := range reasons {
		all = append(all, string(reason))
	}
	return all
}
