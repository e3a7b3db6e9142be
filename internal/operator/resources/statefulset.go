package resources

import (
	"net/netip"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Seconds around a seed's drain.
const (
	// settleSeconds is how long a new seed is ready before the next one is replaced:
	// time to reach it and to publish it.
	settleSeconds = 15
	// withdrawSeconds is how long a seed that is to go still takes connections: time
	// to withdraw its addresses.
	withdrawSeconds = 5
	// exitSeconds is what a seed has beyond its drain before it is killed.
	exitSeconds = 10
)

// StatefulSet runs so many seeds. denied are networks that TURN may not relay to,
// besides those that seeds deny by themselves; a change of them restarts the seeds.
func StatefulSet(n *v1.PeerNetwork, s Settings, replicas int32, denied []netip.Prefix) *appsv1ac.StatefulSetApplyConfiguration {
	return appsv1ac.StatefulSet(SeedsName(n), n.Namespace).
		WithLabels(Labels(n)).
		WithOwnerReferences(owner(n)).
		WithSpec(appsv1ac.StatefulSetSpec().
			WithReplicas(replicas).
			WithServiceName(SeedsName(n)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(Selector(n))).
			// All seeds start at once; they are still replaced one at a time, the highest
			// first. To take away one at a time is for who decides on replicas.
			WithPodManagementPolicy(appsv1.ParallelPodManagement).
			WithUpdateStrategy(appsv1ac.StatefulSetUpdateStrategy().
				WithType(appsv1.RollingUpdateStatefulSetStrategyType).
				WithRollingUpdate(appsv1ac.RollingUpdateStatefulSetStrategy().WithPartition(0))).
			WithMinReadySeconds(settleSeconds).
			WithRevisionHistoryLimit(3).
			WithTemplate(corev1ac.PodTemplateSpec().
				WithLabels(Labels(n)).
				WithAnnotations(n.Spec.Pod.Annotations).
				WithSpec(pod(n, s, denied))))
}

// adminProbe asks the private port.
func adminProbe(path string) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(portAdmin))).
		WithTimeoutSeconds(5)
}
