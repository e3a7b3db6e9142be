package operator

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ranges is a cluster that tells Services' ranges, or does not know what these are.
type ranges struct {
	client.Client
	cidrs []string
	asked int
}

func (r *ranges) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	r.asked++
	if r.cidrs == nil {
		return &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: networkingv1.GroupName, Kind: "ServiceCIDR"}}
	}
	list.(*networkingv1.ServiceCIDRList).Items = []networkingv1.ServiceCIDR{{Spec: networkingv1.ServiceCIDRSpec{CIDRs: r.cidrs}}}
	return nil
}

// A cluster that does not tell the ranges is asked again in ten minutes, and one that
// does each time.
func TestServiceRanges(t *testing.T) {
	cluster, now := &ranges{}, time.Unix(1790000000, 0)
	r := &Reconciler{Client: cluster, Now: func() time.Time { return now }}
	for _, c := range []struct {
		later time.Duration
		cidrs []string
		want  []netip.Prefix
		asked int
	}{
		{0, nil, nil, 1},
		{rangeless - 1, []string{"10.96.0.0/12"}, nil, 1},
		{1, nil, nil, 2},
		{rangeless, []string{"10.96.0.0/12", "?"}, []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12")}, 3},
		{0, []string{"10.96.0.0/12"}, []netip.Prefix{netip.MustParsePrefix("10.96.0.0/12")}, 4},
	} {
		now, cluster.cidrs = now.Add(c.later), c.cidrs
		got, err := r.serviceRanges(t.Context())
		if err != nil || !slices.Equal(got, c.want) || cluster.asked != c.asked {
			t.Errorf("at %v the ranges are %v (%v), want %v; asked %d times, want %d", now, got, err, c.want, cluster.asked, c.asked)
		}
	}
}
