package authority

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"reflect"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = 24 * time.Hour

var (
	begin = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	hosts = []string{"demo-seed-0.demo-seed.games.svc.cluster.local", "203.0.113.7", "2001:db8::7"}
)

func renewed(t *testing.T, a Authorities, now time.Time) Authorities {
	t.Helper()
	a, err := a.Renew("demo", now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func certified(t *testing.T, c Certificate, a Authorities, hosts []string, now time.Time) Certificate {
	t.Helper()
	c, err := c.Renew(a, hosts, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A client with a bundle that is up to a year old trusts the certificate at any time
// of thirty years, and nothing changes when it need not.
func TestThirtyYears(t *testing.T) {
	const step, year = 15 * day, 24 // of these steps
	var a Authorities
	var c Certificate
	var bundles [][]byte
	changes := 0
	for now := begin; now.Before(begin.Add(30 * 365 * day)); now = now.Add(step) {
		next := renewed(t, a, now)
		if !bytes.Equal(next.Certificates, a.Certificates) {
			changes++
		} else if again := renewed(t, next, now); !reflect.DeepEqual(again, next) {
			t.Fatalf("%v: the authorities change without a reason", now)
		}
		a = next
		c = certified(t, c, a, hosts, now)
		bundles = append(bundles, a.Certificates)
		verify(t, c, a.Certificates, now)
		verify(t, c, bundles[max(0, len(bundles)-1-year)], now)
		if !c.RenewAt().After(now) {
			t.Fatalf("%v: the certificate should have been renewed at %v", now, c.RenewAt())
		}
		at, err := a.RenewAt()
		if err != nil || !at.After(now) {
			t.Fatalf("%v: the authorities should have been renewed at %v, %v", now, at, err)
		}
	}
	// Five were made, one each 6 years and 8 months, and three of them expired.
	if changes != 8 {
		t.Errorf("the authorities changed %d times", changes)
	}
}

func verify(t *testing.T, c Certificate, bundle []byte, now time.Time) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	if _, err := c.leaf().Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, DNSName: hosts[1]}); err != nil {
		t.Fatalf("%v: %v", now, err)
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	a := renewed(t, Authorities{}, begin)
	other := renewed(t, Authorities{}, begin)
	c := certified(t, Certificate{}, a, hosts, begin)
	strange := certified(t, Certificate{}, other, hosts, begin)
	for name, k := range map[string]struct {
		from  Certificate
		hosts []string
		after time.Duration
		same  bool
	}{
		"at once":                    {c, hosts, 0, true},
		"before two thirds":          {c, hosts, 59 * day, true},
		"after two thirds":           {c, hosts, 61 * day, false},
		"after its end":              {c, hosts, 100 * day, false},
		"a host less":                {c, hosts[:1], 0, true},
		"a host more":                {c, append(hosts[:len(hosts):len(hosts)], "203.0.113.8"), 0, false},
		"of another authority":       {strange, hosts, 0, false},
		"with the key of another":    {Certificate{c.Certificate, strange.Key}, hosts, 0, false},
		"without a key":              {Certificate{c.Certificate, nil}, hosts, 0, false},
		"not a certificate any more": {Certificate{[]byte("certificate"), c.Key}, hosts, 0, false},
	} {
		now := begin.Add(k.after)
		got := certified(t, k.from, a, k.hosts, now)
		if same := reflect.DeepEqual(got, k.from); same != k.same {
			t.Errorf("%s: the same is %v, want %v", name, same, k.same)
		}
		for _, host := range k.hosts {
			if err := got.leaf().VerifyHostname(host); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestHostsAreThereOnce(t *testing.T) {
	c := certified(t, Certificate{}, renewed(t, Authorities{}, begin), append(hosts, hosts...), begin)
	if got := len(c.leaf().DNSNames) + len(c.leaf().IPAddresses); got != len(hosts) {
		t.Errorf("the certificate is for %d hosts, want %d", got, len(hosts))
	}
}

// An authority is not started over because it cannot be read: clients trust it.
func TestBrokenAuthorities(t *testing.T) {
	a, other := renewed(t, Authorities{}, begin), renewed(t, Authorities{}, begin)
	garbled := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("garbled")})
	for name, broken := range map[string]Authorities{
		"a key of another":           {a.Certificates, other.Keys},
		"a key too few":              {append(bytes.Clone(a.Certificates), other.Certificates...), a.Keys},
		"a certificate too few":      {nil, a.Keys},
		"a certificate that is none": {garbled, a.Keys},
		"no PEM":                     {[]byte("certificate"), nil},
	} {
		if got, err := broken.Renew("demo", begin); err == nil {
			t.Errorf("%s: made %q of it", name, got.Certificates)
		}
		if got, err := (Certificate{}).Renew(broken, hosts, begin); err == nil {
			t.Errorf("%s: made the certificate %q", name, got.Certificate)
		}
	}
	if _, err := (Certificate{}).Renew(Authorities{}, hosts, begin); err == nil {
		t.Error("a certificate was made without an authority")
	}
}
