package probe

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/peerexchange/peerexchange/internal/operator/authority"
)

func TestRoots(t *testing.T) {
	made, err := authority.Authorities{}.Renew("demo", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ours := x509.NewCertPool()
	ours.AppendCertsFromPEM(made.Certificates)
	for name, c := range map[string]struct {
		authorities []byte
		want        *x509.CertPool
	}{
		"none":         {nil, nil},
		"an empty one": {[]byte{}, nil},
		"one":          {made.Certificates, ours},
		// What is there and is none must not have everybody be trusted.
		"what is none": {[]byte("?"), x509.NewCertPool()},
	} {
		if got := roots(c.authorities); (got == nil) != (c.want == nil) || !got.Equal(c.want) {
			t.Errorf("%s is %v, want %v", name, got, c.want)
		}
	}
}
