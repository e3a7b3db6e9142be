package operator

import (
	"context"
	"maps"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/peerexchange/peerexchange/internal/operator/resources"
)

// refresh has the kubelets bring the document that is published to the seeds now, and the
// certificate. By itself a kubelet looks at a pod's ConfigMaps and Secrets about once a
// minute, and for that long a seed would tell its peers and siblings of addresses that
// are none any more, or have no certificate for one that a load balancer just gave it.
// When an annotation of the pod changes it looks at once. A pod that is being deleted
// gets nothing new.
//
// Where it is refused, as by an admission policy, seeds have them a minute later, which
// is no reason to call the network broken.
func (r *Reconciler) refresh(ctx context.Context, state *run) {
	fresh := map[string]string{resources.BootstrapAnnotation: strconv.FormatInt(state.sequence, 10)}
	if state.certificateHash != "" {
		fresh[resources.CertificateAnnotation] = state.certificateHash
	}
	for _, s := range state.seeds {
		if !s.pod.DeletionTimestamp.IsZero() || hasAll(s.pod.Annotations, fresh) {
			continue
		}
		pod := s.pod.DeepCopy()
		if pod.Annotations == nil {
			pod.Annotations = make(map[string]string)
		}
		maps.Copy(pod.Annotations, fresh)
		switch err := r.Client.Patch(ctx, pod, client.MergeFrom(&s.pod), fieldOwner); {
		case apierrors.IsNotFound(err):
			// It has gone since it was observed.
		case err != nil:
			log.FromContext(ctx).Info("a seed gets the bootstrap document or its certificate a minute late", "pod", types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}, "err", err)
		default:
			r.Metrics.wrote("Pod")
		}
	}
}

// hasAll tells whether all of some annotations are among those that there are.
func hasAll(annotations, some map[string]string) bool {
	for key, value := range some {
		if annotations[key] != value {
			return false
		}
	}
	return true
}
