package webrtc

import (
	"testing"
	"testing/synctest"
	"time"
)

// A certificate is used for a day, and never for a connection that begins when it is
// about to expire.
func TestCertificateIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c certificates
		first, err := c.current()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(certificateUse - time.Second)
		if same, err := c.current(); err != nil || !same.Equals(first) {
			t.Errorf("within a day there is another one, %v", err)
		}
		time.Sleep(2 * time.Second)
		for day := range 60 {
			latest, err := c.current()
			if err != nil || latest.Equals(first) {
				t.Fatalf("after %d days there is the same one, %v", day+1, err)
			}
			if left := time.Until(latest.Expires()); left < 20*24*time.Hour {
				t.Fatalf("after %d days one is used that is good for %v only", day+1, left)
			}
			first = latest
			time.Sleep(certificateUse)
		}
	})
}

func TestConnectionsShareTheCertificate(t *testing.T) {
	tr := closeAtEnd(t, New(Config{}))
	c1, c2 := connect(t, tr, tr)
	for _, c := range []*Conn{c1, c2} {
		want, err := tr.certificates.current()
		if err != nil {
			t.Fatal(err)
		}
		if got := c.pc.GetConfiguration().Certificates; len(got) != 1 || !got[0].Equals(want) {
			t.Errorf("the connection has the certificates %v", got)
		}
	}
}
