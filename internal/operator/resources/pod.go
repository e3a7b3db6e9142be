package resources

import (
	"maps"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// user is the one that the seed's image has its state directory for.
const user = 65532

// pod passes the restricted Pod Security level, except for host ports.
func pod(n *v1.PeerNetwork, s Settings, denied []netip.Prefix) *corev1ac.PodSpecApplyConfiguration {
	asked := &n.Spec.Pod
	spec := corev1ac.PodSpec().
		WithServiceAccountName(SeedsName(n)).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(int64(withdrawSeconds + drainSeconds(n) + exitSeconds)).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(user).WithRunAsGroup(user).WithFSGroup(user).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(container(n, s, denied)).
		WithVolumes(volumes(n)...).
		WithNodeSelector(nodeSelector(asked)).
		WithTopologySpreadConstraints(spread(n)...)
	for _, secret := range asked.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(secret.Name))
	}
	for _, toleration := range asked.Tolerations {
		spec.WithTolerations(applied[corev1ac.TolerationApplyConfiguration](toleration))
	}
	if asked.Affinity != nil {
		spec.WithAffinity(applied[corev1ac.AffinityApplyConfiguration](asked.Affinity))
	}
	if asked.PriorityClassName != "" {
		spec.WithPriorityClassName(asked.PriorityClassName)
	}
	return spec
}

// nodeSelector keeps seeds off nodes that cannot run the image, which is of Linux,
// unless it is said what else they run on.
func nodeSelector(asked *v1.Pod) map[string]string {
	labels := map[string]string{corev1.LabelOSStable: string(corev1.Linux)}
	maps.Copy(labels, asked.NodeSelector)
	return labels
}

// spread keeps seeds apart, but runs them close together rather than not at all:
// where there are not nodes enough, a second seed on one still helps at a restart.
func spread(n *v1.PeerNetwork) []*corev1ac.TopologySpreadConstraintApplyConfiguration {
	var constraints []*corev1ac.TopologySpreadConstraintApplyConfiguration
	if asked := n.Spec.Pod.TopologySpreadConstraints; len(asked) > 0 {
		for _, constraint := range asked {
			if constraint.LabelSelector == nil {
				constraint.LabelSelector = &metav1.LabelSelector{MatchLabels: Selector(n)}
			}
			constraints = append(constraints, applied[corev1ac.TopologySpreadConstraintApplyConfiguration](constraint))
		}
		return constraints
	}
	for _, key := range []string{corev1.LabelTopologyZone, corev1.LabelHostname} {
		constraints = append(constraints, corev1ac.TopologySpreadConstraint().
			WithTopologyKey(key).WithMaxSkew(1).WithWhenUnsatisfiable(corev1.ScheduleAnyway).
			WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(Selector(n))))
	}
	return constraints
}

func container(n *v1.PeerNetwork, s Settings, denied []netip.Prefix) *corev1ac.ContainerApplyConfiguration {
	asked := &n.Spec.Pod
	image := s.Image
	if asked.Image != "" {
		image = asked.Image
	}
	seed := corev1ac.Container().
		WithName("seed").
		WithImage(image).
		WithArgs(args(n, s, denied)...).
		WithEnv(fieldEnv("POD_NAME", "metadata.name")).
		WithPorts(containerPorts(n)...).
		WithResources(resourcesOf(asked)).
		WithStartupProbe(adminProbe("/readyz").WithPeriodSeconds(1).WithFailureThreshold(60)).
		WithReadinessProbe(adminProbe("/readyz").WithPeriodSeconds(5)).
		WithLivenessProbe(adminProbe("/healthz").WithPeriodSeconds(10).WithFailureThreshold(6)).
		// The seed drains at the signal that comes after this.
		WithLifecycle(corev1ac.Lifecycle().WithPreStop(corev1ac.LifecycleHandler().
			WithSleep(corev1ac.SleepAction().WithSeconds(withdrawSeconds)))).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		WithVolumeMounts(mounts(n)...)
	if asked.ImagePullPolicy != "" {
		seed.WithImagePullPolicy(asked.ImagePullPolicy)
	}
	if HasTURN(n) && n.Spec.TURN.RelayPorts != nil {
		seed.WithEnv(fieldEnv("HOST_IP", "status.hostIP"))
	}
	return seed
}

func fieldEnv(name, path string) *corev1ac.EnvVarApplyConfiguration {
	return corev1ac.EnvVar().WithName(name).WithValueFrom(corev1ac.EnvVarSource().
		WithFieldRef(corev1ac.ObjectFieldSelector().WithFieldPath(path)))
}

// resourcesOf has no limit on CPU by default, which would do nothing but delay
// introductions, and none on memory, which depends on the peers there may be.
func resourcesOf(asked *v1.Pod) *corev1ac.ResourceRequirementsApplyConfiguration {
	if asked.Resources != nil {
		return applied[corev1ac.ResourceRequirementsApplyConfiguration](asked.Resources)
	}
	return corev1ac.ResourceRequirements().WithRequests(corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("100m"),
		corev1.ResourceMemory: resource.MustParse("128Mi"),
	})
}

// containerPorts are opened on the node with HostPort.
func containerPorts(n *v1.PeerNetwork) []*corev1ac.ContainerPortApplyConfiguration {
	var ports []*corev1ac.ContainerPortApplyConfiguration
	onHost := n.Spec.Exposure.Type == v1.ExposeHostPort
	add := func(name string, number, host int32, protocol corev1.Protocol) {
		port := corev1ac.ContainerPort().WithName(name).WithContainerPort(number).WithProtocol(protocol)
		if onHost {
			port.WithHostPort(host)
		}
		ports = append(ports, port)
	}
	add(PortTLS, podPortTLS, ClientPort(n, PortTLS), corev1.ProtocolTCP)
	if HasPlain(n) {
		add(PortPlain, podPortPlain, ClientPort(n, PortPlain), corev1.ProtocolTCP)
	}
	if HasTURN(n) {
		add(PortTURN, podPortTURN, podPortTURN, corev1.ProtocolTCP)
		add(PortTURNUDP, podPortTURN, podPortTURN, corev1.ProtocolUDP)
		if relayed := n.Spec.TURN.RelayPorts; relayed != nil {
			for number := relayed.Min; number <= relayed.Max; number++ {
				ports = append(ports, corev1ac.ContainerPort().
					WithContainerPort(number).WithHostPort(number).WithProtocol(corev1.ProtocolUDP))
			}
		}
	}
	return append(ports, corev1ac.ContainerPort().
		WithName(portAdmin).WithContainerPort(AdminPort).WithProtocol(corev1.ProtocolTCP))
}
