package v1

// The conditions of a PeerNetwork. Each is there from the first reconcile on, has
// the observedGeneration of the spec that it was found for, and says in its message
// what to do. A reason belongs to the status that it is listed under.
const (
	// ConditionAvailable tells whether applications can join the network now: at
	// least one seed takes connections and is reached at a published address.
	//
	// True:
	//   - SeedsReachable: the message says how many seeds.
	//
	// False:
	//   - InvalidSpec: the spec contradicts itself or the cluster. Seeds that run go on
	//     as they are, and status.seeds tells of them.
	//   - SecretMissing: a Secret that the spec names is not there, or lacks a key; as for
	//     InvalidSpec.
	//   - NoSeedReady: no seed takes connections; CertificateReady and Progressing say whether one will.
	//   - NoSeedReachable: seeds run, but are not reached; status.seeds says why.
	//
	// Unknown:
	//   - ReconcileFailed: the API server refused or did not answer; it is tried again.
	ConditionAvailable = "Available"

	// ConditionProgressing tells whether the cluster is on its way to what the
	// spec asks for.
	//
	// True:
	//   - Creating: the first seeds start.
	//   - RollingOut: seeds are replaced, one at a time, or one that has ended starts
	//     again.
	//   - ScalingUp: seeds are added.
	//   - ScalingDown: seeds are drained and taken away, one at a time.
	//
	// False:
	//   - Complete: it is there.
	//   - InvalidSpec, SecretMissing: seeds are neither replaced, nor added or taken
	//     away, as for Available.
	//   - Stalled: a seed has not become ready for 10 minutes, and the message has what
	//     its pod says; or its pod is missing for that long, and the message says why, or
	//     where the reason is.
	//
	// Unknown:
	//   - ReconcileFailed: as for Available.
	ConditionProgressing = "Progressing"

	// ConditionPublished tells whether every seed that takes connections is
	// published, and what is published is right.
	//
	// True:
	//   - AllSeedsPublished: status.seeds has their addresses. The message tells of those
	//     that are left out, since they are not reached.
	//
	// False:
	//   - SeedsWithheld: some seeds are not, since they are reached nowhere or drain.
	//   - AddressesPending: some have no address yet.
	//   - NothingToPublish: no seed takes connections. What was published is withdrawn.
	//   - InvalidSpec, SecretMissing: as for Available. Seeds that run stay published
	//     while they are reached, and are withdrawn when they are not.
	//
	// Unknown:
	//   - ReconcileFailed: as for Available.
	ConditionPublished = "Published"

	// ConditionCertificateReady tells whether the seeds have a certificate that is
	// good for their addresses.
	//
	// True:
	//   - SelfSigned: of the operator's own authority.
	//   - Issued: by the cert-manager issuer.
	//   - Provided: by the Secret.
	//
	// False:
	//   - SecretMissing: the Secret is not there.
	//   - SecretInvalid: it has no certificate with its key.
	//   - CertificateExpired: it has expired, or is not valid yet.
	//   - NamesMissing: it is not good for some addresses, which are not published.
	//   - CertManagerMissing: an issuer is named, and cert-manager is not installed.
	//   - Issuing: it is not there yet; the message has what cert-manager says.
	//   - InvalidSpec: as for Available.
	//
	// Unknown:
	//   - ReconcileFailed: as for Available.
	ConditionCertificateReady = "CertificateReady"
)

// Reasons of several conditions.
const (
	ReasonInvalidSpec     = "InvalidSpec"
	ReasonSecretMissing   = "SecretMissing"
	ReasonReconcileFailed = "ReconcileFailed"
)

// Reasons of [ConditionAvailable].
const (
	ReasonSeedsReachable  = "SeedsReachable"
	ReasonNoSeedReady     = "NoSeedReady"
	ReasonNoSeedReachable = "NoSeedReachable"
)

// Reasons of [ConditionProgressing].
const (
	ReasonCreating    = "Creating"
	ReasonRollingOut  = "RollingOut"
	ReasonScalingUp   = "ScalingUp"
	ReasonScalingDown = "ScalingDown"
	ReasonComplete    = "Complete"
	ReasonStalled     = "Stalled"
)

// Reasons of [ConditionPublished].
const (
	ReasonAllSeedsPublished = "AllSeedsPublished"
	ReasonSeedsWithheld     = "SeedsWithheld"
	ReasonAddressesPending  = "AddressesPending"
	ReasonNothingToPublish  = "NothingToPublish"
)

// Reasons of [ConditionCertificateReady].
const (
	ReasonSelfSigned         = "SelfSigned"
	ReasonIssued             = "Issued"
	ReasonProvided           = "Provided"
	ReasonSecretInvalid      = "SecretInvalid"
	ReasonCertificateExpired = "CertificateExpired"
	ReasonNamesMissing       = "NamesMissing"
	ReasonCertManagerMissing = "CertManagerMissing"
	ReasonIssuing            = "Issuing"
)
