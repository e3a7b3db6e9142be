package operator

import (
	"errors"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

func TestConfigIsChecked(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"--seed-image":     func(c *Config) { c.Settings.Image = "" },
		"--namespace":      func(c *Config) { c.Settings.Namespace = "" },
		"--cluster-domain": func(c *Config) { c.Settings.ClusterDomain = "" },
		"--concurrency":    func(c *Config) { c.Concurrency = -1 },
	} {
		config := Config{}
		config.Settings.Image, config.Settings.Namespace, config.Settings.ClusterDomain = "seed", "system", "cluster.local"
		change(&config)
		if err := Run(t.Context(), &rest.Config{}, config); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want it to begin with %s", err, want)
		}
	}
}

// kinds are those of a cluster that has ServiceCIDRs of a version, or does not answer.
type kinds struct {
	meta.RESTMapper
	version string
	err     error
}

func (k kinds) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	if k.err == nil && (kind.Kind != "ServiceCIDR" || versions[0] != k.version) {
		return nil, &meta.NoKindMatchError{GroupKind: kind, SearchedVersions: versions}
	}
	return &meta.RESTMapping{}, k.err
}

func TestTellsServiceRanges(t *testing.T) {
	lost := errors.New("connection refused")
	for _, c := range []struct {
		kinds kinds
		want  bool
		err   error
	}{
		{kinds{version: "v1"}, true, nil},
		{kinds{version: "v1beta1"}, false, nil},
		{kinds{err: lost}, false, lost},
	} {
		if got, err := tellsServiceRanges(c.kinds); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("of %+v: %v, %v", c.kinds, got, err)
		}
	}
}

func TestRangesChanged(t *testing.T) {
	of := func(cidrs ...string) *networkingv1.ServiceCIDR {
		return &networkingv1.ServiceCIDR{Spec: networkingv1.ServiceCIDRSpec{CIDRs: cidrs}}
	}
	ready := of("10.96.0.0/12")
	ready.Status.Conditions = append(ready.Status.Conditions, metav1.Condition{Type: networkingv1.ServiceCIDRConditionReady})
	for _, c := range []struct {
		before, now *networkingv1.ServiceCIDR
		want        bool
	}{
		{of("10.96.0.0/12"), ready, false},
		{of("10.96.0.0/12"), of("10.96.0.0/12", "fd00::/112"), true},
	} {
		if got := rangesChanged(event.UpdateEvent{ObjectOld: c.before, ObjectNew: c.now}); got != c.want {
			t.Errorf("from %v to %v: %v", c.before.Spec.CIDRs, c.now.Spec.CIDRs, got)
		}
	}
}
