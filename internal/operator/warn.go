package operator

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// warnings are the reasons that nothing ends but what a person does. Each is told of in a
// warning when it comes up. again is for those whose message names what is to be done,
// which are told of when that is another; what a pod says of itself changes by itself.
var warnings = []struct {
	condition, reason string
	again             bool
}{
	{v1.ConditionProgressing, v1.ReasonInvalidSpec, true},
	{v1.ConditionProgressing, v1.ReasonSecretMissing, true},
	{v1.ConditionProgressing, v1.ReasonStalled, false},
	{v1.ConditionCertificateReady, v1.ReasonSecretMissing, true},
	{v1.ConditionCertificateReady, v1.ReasonSecretInvalid, true},
	{v1.ConditionCertificateReady, v1.ReasonCertificateExpired, true},
	{v1.ConditionCertificateReady, v1.ReasonNamesMissing, true},
	{v1.ConditionCertificateReady, v1.ReasonCertManagerMissing, true},
}

// warn tells of what has come up since the status was written last.
func (r *Reconciler) warn(state *run, before, now []metav1.Condition) {
	var told []string
	for _, w := range warnings {
		found := meta.FindStatusCondition(now, w.condition)
		if found == nil || found.Reason != w.reason || slices.Contains(told, found.Message) {
			continue
		}
		told = append(told, found.Message) // a problem is one of all conditions
		known := meta.FindStatusCondition(before, w.condition)
		if known != nil && known.Reason == w.reason && (known.Message == found.Message || !w.again) {
			continue
		}
		reason, message := found.Reason, found.Message
		r.afterStatus(state, func() { r.record(state, corev1.EventTypeWarning, reason, "Reconcile", message) })
	}
}
