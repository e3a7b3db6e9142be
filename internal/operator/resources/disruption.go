package resources

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// DisruptionBudget lets nodes be drained one seed at a time, and from a seed that
// does not work at any time.
func DisruptionBudget(n *v1.PeerNetwork) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(SeedsName(n), n.Namespace).
		WithLabels(Labels(n)).
		WithOwnerReferences(owner(n)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(Selector(n))))
}
