package operator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// appliedAnnotation has the hash of what was applied, so that a field that is not
// applied any more is seen to have gone.
const appliedAnnotation = "peerexchange.dev/applied"

// apply makes an object what it is to be, unless it is.
func (r *Reconciler) apply(ctx context.Context, n *v1.PeerNetwork, configuration any) error {
	_, err := r.applyOther(ctx, n, configuration)
	return err
}

// applyOther is apply, and tells whether the object was another.
func (r *Reconciler) applyOther(ctx context.Context, n *v1.PeerNetwork, configuration any) (written bool, err error) {
	desired, err := stamped(configuration)
	if err != nil {
		return false, err
	}
	live, err := r.live(ctx, n, desired)
	if err != nil {
		return false, err
	}
	if live != nil {
		if !metav1.IsControlledBy(live, n) {
			return false, problemf(v1.ReasonInvalidSpec, "the %s %s is there and is not of this PeerNetwork: delete it, or make the PeerNetwork under another name", desired.GetKind(), desired.GetName())
		}
		if within(desired.Object, live.Object) {
			return false, nil
		}
	}
	kept := desired.GetKind() == "Secret" || desired.GetKind() == "ConfigMap" // what is in them is made of what was
	if kept && r.memory.trusting(client.ObjectKeyFromObject(n)) {
		return false, errReadAgain
	}
	err = r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(desired), fieldOwner, client.ForceOwnership)
	switch {
	case apierrors.IsInvalid(err):
		// Such as by a toleration or an image of the spec that the schema lets through.
		return false, problemf(v1.ReasonInvalidSpec, "the cluster refuses what is made of the spec: %v", err)
	case err != nil:
		return false, fmt.Errorf("apply %s %s: %w", desired.GetKind(), desired.GetName(), err)
	}
	r.memory.forgetSecret(client.ObjectKeyFromObject(n), desired.GetName())
	r.Metrics.wrote(desired.GetKind())
	return true, nil
}

// stamped is a configuration with the hash of it.
func stamped(configuration any) (*unstructured.Unstructured, error) {
	encoded, err := json.Marshal(configuration)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", configuration, err)
	}
	desired := &unstructured.Unstructured{}
	if err := desired.UnmarshalJSON(encoded); err != nil {
		return nil, fmt.Errorf("encode %T: %w", configuration, err)
	}
	annotations := desired.GetAnnotations()
	if annotations == nil {
		annotations = make(map[string]string)
	}
	annotations[appliedAnnotation] = shortHash(encoded)
	desired.SetAnnotations(annotations)
	return desired, nil
}

// shortHash is enough of a hash to tell what was from what is.
func shortHash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}

// live is the object as it is, nil if it is not there. What is not in the cache may be
// there all the same, made by somebody else and without our label.
func (r *Reconciler) live(ctx context.Context, n *v1.PeerNetwork, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	object, err := r.typed(desired.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if desired.GetKind() == "Secret" {
		object, err = r.readSecret(ctx, n, desired.GetName())
	} else if err = r.Client.Get(ctx, client.ObjectKeyFromObject(desired), object); apierrors.IsNotFound(err) {
		err = r.Reader.Get(ctx, client.ObjectKeyFromObject(desired), object)
	}
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", desired.GetKind(), desired.GetName(), err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", desired.GetKind(), desired.GetName(), err)
	}
	live := &unstructured.Unstructured{Object: content}
	live.SetGroupVersionKind(desired.GroupVersionKind()) // which a typed object does not have
	return live, nil
}

// typed is an empty object of the kind, of the type that the cache has it in.
func (r *Reconciler) typed(kind schema.GroupVersionKind) (client.Object, error) {
	object, err := r.Client.Scheme().New(kind)
	if err != nil {
		return nil, err
	}
	return object.(client.Object), nil
}

// within tells whether everything of desired is in live as it is there. Of a list each
// element has to be within one of the other: others may have added some, and fields to
// each.
func within(desired, live any) bool {
	switch desired := desired.(type) {
	case map[string]any:
		other, ok := live.(map[string]any)
		if !ok {
			return len(desired) == 0 && live == nil
		}
		for key, value := range desired {
			if !within(value, other[key]) {
				return false
			}
		}
		return true
	case []any:
		other, ok := live.([]any)
		if !ok {
			return len(desired) == 0 && live == nil
		}
		if texts(desired) {
			return reflect.DeepEqual(desired, other) // such as arguments, whose order counts
		}
		return !slices.ContainsFunc(desired, func(element any) bool {
			return !slices.ContainsFunc(other, func(candidate any) bool { return within(element, candidate) })
		})
	case nil:
		return true
	case string:
		return desired == live || desired == "" && live == nil
	case bool:
		return desired == live || !desired && live == nil
	case int64:
		return desired == live || desired == 0 && live == nil
	}
	return reflect.DeepEqual(desired, live)
}

func texts(list []any) bool {
	return !slices.ContainsFunc(list, func(element any) bool { _, ok := element.(string); return !ok })
}
