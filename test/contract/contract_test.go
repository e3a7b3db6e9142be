package contract

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
	"github.com/peerexchange/peerexchange/internal/seed"
	"github.com/peerexchange/peerexchange/test/schema"
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

// What a PeerNetwork's field says of a limit's default and its smallest value is so.
func TestLimitsAreAsTheirTextsSay(t *testing.T) {
	s, err := schema.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	texts := s.Definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["limits"].Properties
	defaults := seed.DefaultLimits()
	said := regexp.MustCompile(`(?: of | from |, )(\w+)(?: or more| to 2147483647).* Default (\w+)\.$`)
	for field, property := range texts {
		// A field is named like the limit: peersPerIP is peers-per-ip.
		names := slices.DeleteFunc(seed.LimitNames(), func(name string) bool { return !strings.EqualFold(strings.ReplaceAll(name, "-", ""), field) })
		if len(names) != 1 {
			t.Errorf("%s is no limit of seeds", field)
			continue
		}
		name := names[0]
		parts := said.FindStringSubmatch(property.Description)
		if parts == nil {
			t.Errorf("%s does not say the smallest value and the default: %s", field, property.Description)
			continue
		}
		least, fallback := parts[1], parts[2]
		var limits seed.Limits
		if err := limits.Set(name, fallback); err != nil || limits.Get(name) != defaults.Get(name) {
			t.Errorf("%s says the default %s, which is %s, and it is %s (%v)", field, fallback, limits.Get(name), defaults.Get(name), err)
		}
		if err := limits.Set(name, least); err != nil {
			t.Errorf("%s says that %s will do: %v", field, least, err)
		}
		if less := lessThan(t, &limits, name); limits.Set(name, less) == nil {
			t.Errorf("%s does not say that %s will do too: %s", field, less, property.Description)
		}
	}
}

// lessThan is a little less than the limit's value.
func lessThan(t *testing.T, limits *seed.Limits, name string) string {
	t.Helper()
	value := limits.Get(name)
	if d, err := time.ParseDuration(value); err == nil {
		return (d - time.Microsecond).String()
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(n - 1)
}
