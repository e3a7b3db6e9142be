//go:build apiserver

package operator

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// laterFields are what the definition of an older version would not have.
var laterFields = []string{"turn", "networkPolicy", "limits", "drainSeconds"}

// A network that was made under a definition with fewer fields is seen to under this
// one, with the defaults of those that it lacks.
func TestAPIServerUpgradesTheDefinition(t *testing.T) {
	d := newDefinition(t)
	current := d.read()
	t.Cleanup(func() { // for other tests, if this one fails in the middle
		d.write(current.Spec)
		d.await("the current definition is back", true)
	})
	older := current.DeepCopy()
	for _, field := range laterFields {
		delete(older.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties, field)
	}
	older.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = withoutRules(older.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])
	d.write(older.Spec)
	d.await("the older definition is used", false)

	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 1})
	stored := &unstructured.Unstructured{}
	stored.SetGroupVersionKind(v1.GroupVersion.WithKind(v1.Kind))
	w.must(w.client.Get(t.Context(), client.ObjectKeyFromObject(w.network), stored))
	for _, field := range laterFields {
		if _, found, _ := unstructured.NestedFieldNoCopy(stored.Object, "spec", field); found {
			t.Fatalf("the older definition has %s", field)
		}
	}

	d.write(current.Spec)
	d.await("the current definition is used", true)
	w.get(w.network)
	w.settled()
	w.wantConditions("Progressing True Creating")
	if drain := w.network.Spec.DrainSeconds; drain == nil || *drain != 60 {
		t.Errorf("drainSeconds is %v, want the default", drain)
	}
	if replicas := *w.set().Spec.Replicas; replicas != 1 {
		t.Errorf("there are to be %d seeds, want 1 as before", replicas)
	}
	w.update(func(spec *v1.PeerNetworkSpec) { spec.Replicas = 2 })
	w.settled()
	if replicas := *w.set().Spec.Replicas; replicas != 2 {
		t.Errorf("after a change there are to be %d seeds, want 2", replicas)
	}
}

// withoutRules leaves out rules, which may be about fields that are not there.
func withoutRules(schema apiextensionsv1.JSONSchemaProps) apiextensionsv1.JSONSchemaProps {
	schema.XValidations = nil
	return schema
}

// definition is that of PeerNetworks in the API server.
type definition struct {
	*testing.T
	client client.Client
}

func newDefinition(t *testing.T) definition {
	t.Helper()
	known := runtime.NewScheme()
	if err := apiextensionsv1.AddToScheme(known); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(server.Config, client.Options{Scheme: known})
	if err != nil {
		t.Fatal(err)
	}
	return definition{t, c}
}

// ctx is for cleanups too, when that of the test has ended.
func (d definition) ctx() context.Context { return context.WithoutCancel(d.Context()) }

func (d definition) read() *apiextensionsv1.CustomResourceDefinition {
	d.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := d.client.Get(d.ctx(), client.ObjectKey{Name: "peernetworks." + v1.GroupVersion.Group}, crd); err != nil {
		d.Fatal(err)
	}
	return crd
}

func (d definition) write(spec apiextensionsv1.CustomResourceDefinitionSpec) {
	d.Helper()
	crd := d.read()
	crd.Spec = spec
	if err := d.client.Update(d.ctx(), crd); err != nil {
		d.Fatal(err)
	}
}

// await waits until the API server goes by a definition, which is a moment after it took
// it: one that has drainSeconds, or one that has not.
func (d definition) await(what string, has bool) {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.ctx(), time.Minute)
	defer cancel()
	probe := &unstructured.Unstructured{}
	err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		probe.Object = map[string]any{"spec": map[string]any{"networkID": "probe"}}
		probe.SetGroupVersionKind(v1.GroupVersion.WithKind(v1.Kind))
		probe.SetNamespace(metav1.NamespaceDefault)
		probe.SetName("probe")
		if err := d.client.Create(ctx, probe, client.DryRunAll); err != nil {
			return false, err
		}
		_, found, _ := unstructured.NestedFieldNoCopy(probe.Object, "spec", "drainSeconds")
		return found == has, nil
	})
	if err != nil {
		said, _ := json.Marshal(probe.Object)
		d.Fatalf("%s: %v; a network is made as %s", what, err, said)
	}
}
