package operator

import (
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/peerexchange/peerexchange/internal/operator/authority"
)

func TestSigns(t *testing.T) {
	now := time.Now()
	made := func() (authority.Authorities, []byte) {
		t.Helper()
		authorities, err := authority.Authorities{}.Renew("demo", now)
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := authority.Certificate{}.Renew(authorities, []string{"127.0.0.1"}, now)
		if err != nil {
			t.Fatal(err)
		}
		return authorities, certificate.Certificate
	}
	ours, certificate := made()
	others, _ := made()
	for name, c := range map[string]struct {
		authorities, certificate []byte
		want                     bool
	}{
		"its own":            {ours.Certificates, certificate, true},
		"another":            {others.Certificates, certificate, false},
		"its own of several": {slices.Concat(others.Certificates, ours.Certificates), certificate, true},
		"none":               {nil, certificate, false},
		"of nothing":         {ours.Certificates, nil, false},
		"of what is none":    {ours.Certificates, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), false},
	} {
		if got := signs(c.authorities, c.certificate, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestReadiness(t *testing.T) {
	said := func(fields map[string]any) *unstructured.Unstructured {
		fields["message"] = "of it"
		return &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"generation": int64(3)},
			"status":   map[string]any{"conditions": []any{map[string]any{"type": "Issuing", "status": "True"}, fields}},
		}}
	}
	for name, c := range map[string]struct {
		certificate *unstructured.Unstructured
		issued      bool
		says        string
	}{
		"nothing":            {nil, false, "it says nothing yet"},
		"issued":             {said(map[string]any{"type": "Ready", "status": "True", "observedGeneration": int64(3)}), true, "of it"},
		"not issued":         {said(map[string]any{"type": "Ready", "status": "False", "observedGeneration": int64(3)}), false, "of it"},
		"of what was before": {said(map[string]any{"type": "Ready", "status": "True", "observedGeneration": int64(2)}), false, "it says nothing yet"},
		"of it does not say": {said(map[string]any{"type": "Ready", "status": "True"}), true, "of it"},
		"of something else":  {said(map[string]any{"type": "Renewing", "status": "True"}), false, "it says nothing yet"},
	} {
		if issued, says := readiness(c.certificate); issued != c.issued || says != c.says {
			t.Errorf("%s: %v and %q, want %v and %q", name, issued, says, c.issued, c.says)
		}
	}
}
