package authority

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"unicode/utf8"
)

// A long network ID leaves an authority with a name that X.509 allows.
func TestCommonNameHasRoom(t *testing.T) {
	for id, want := range map[string]string{
		"demo":                   "peer-exchange seeds of demo",
		strings.Repeat("a", 41):  "peer-exchange seeds of " + strings.Repeat("a", 41),
		strings.Repeat("a", 42):  "peer-exchange seeds of " + strings.Repeat("a", 41),
		strings.Repeat("é", 200): "peer-exchange seeds of " + strings.Repeat("é", 41),
	} {
		a, err := Authorities{}.Renew(id, begin)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(a.Certificates)
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		name := certificate.Subject.CommonName
		if name != want || utf8.RuneCountInString(name) > 64 {
			t.Errorf("the authority of %q is named %q, want %q", id, name, want)
		}
		if same, err := a.Renew(id, begin); err != nil || string(same.Certificates) != string(a.Certificates) {
			t.Errorf("the authority of %q is made again: %v", id, err)
		}
	}
}
