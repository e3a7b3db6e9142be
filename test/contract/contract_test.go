package contract

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/plan"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
	"github.com/peerexchange/peerexchange/internal/seed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Seeds take every limit that a PeerNetwork can have.
func TestLimits(t *testing.T) {
	n := &v1.PeerNetwork{}
	fields := reflect.ValueOf(&n.Spec.Limits).Elem()
	word := intstr.FromString("unlimited")
	for i := range fields.NumField() {
		if field := fields.Field(i); field.Kind() == reflect.String {
			field.SetString("unlimited")
		} else {
			field.Set(reflect.ValueOf(&word))
		}
	}
	args := resources.StatefulSet(n, resources.Settings{}, 1, nil).Spec.Template.Spec.Containers[0].Args
	var limits seed.Limits
	told := 0
	for _, arg := range args {
		limit, ok := strings.CutPrefix(arg, "--limit=")
		if !ok {
			continue
		}
		told++
		name, value, _ := strings.Cut(limit, "=")
		if err := limits.Set(name, value); err != nil {
			t.Error(err)
		}
	}
	if told != fields.NumField() {
		t.Errorf("seeds are told %d limits of %d", told, fields.NumField())
	}
}

// A seed reads the bootstrap document that the operator publishes.
func TestBootstrapDocument(t *testing.T) {
	published := plan.Publish("demo", []v1.SeedStatus{{
		Name: "demo-seed-0", Ready: true, Reachable: true, Addresses: []string{"wss://192.0.2.1:443"}, TURNAddresses: []string{"stun:192.0.2.1:3478"},
	}}, nil).Document.Encode()
	var read seed.Bootstrap
	if err := json.Unmarshal(published, &read); err != nil {
		t.Fatal(err)
	}
	if read.Network != "demo" || read.Sequence != 1 || len(read.Seeds) != 1 || len(read.Seeds[0].Addresses) != 1 || read.Seeds[0].Addresses[0] != "wss://192.0.2.1:443" {
		t.Errorf("%s is read as %+v", published, read)
	}
}
