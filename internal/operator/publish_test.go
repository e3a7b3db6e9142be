package operator

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a person is told of a pod that does not take connections is what helps most.
func TestWaiting(t *testing.T) {
	backOff := &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container"}
	ended := &corev1.ContainerStateTerminated{Message: "{\"msg\":\"starting\"}\nseed: listen: address in use\n"}
	for want, status := range map[string]corev1.PodStatus{
		"it starts": {},
		"it is on no node: 0/3 nodes are available": {Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available"},
		}},
		"ErrImagePull: no such image": {ContainerStatuses: []corev1.ContainerStatus{{
			State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "no such image"}},
			LastTerminationState: corev1.ContainerState{Terminated: ended},
		}}},
		"its container is not made yet; kubectl describe pod a-seed-0 shows what is missing, if it stays so": {ContainerStatuses: []corev1.ContainerStatus{{
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}},
		}}},
		"it ended: seed: listen: address in use": {ContainerStatuses: []corev1.ContainerStatus{{
			State: corev1.ContainerState{Waiting: backOff}, LastTerminationState: corev1.ContainerState{Terminated: ended},
		}}},
		"CrashLoopBackOff: back-off 5m0s restarting failed container": {ContainerStatuses: []corev1.ContainerStatus{{
			State: corev1.ContainerState{Waiting: backOff}, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}},
		}}},
		"it ended: killed": {ContainerStatuses: []corev1.ContainerStatus{{
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Message: "killed"}},
		}}},
	} {
		if got := waiting(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a-seed-0"}, Status: status}); got != want {
			t.Errorf("told is %q, want %q", got, want)
		}
	}
}
