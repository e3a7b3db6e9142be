package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"sync"
	"time"

	pion "github.com/pion/webrtc/v3"
)

// certificateUse is how long new connections share a certificate. pion makes one
// that is good for most of a month, so none of them begins with one that is about to
// expire; what expires later does not matter to a connection that stands.
const certificateUse = 24 * time.Hour

// certificates are what a transport's connections show of itself in DTLS. That they
// have one in common tells the other nodes nothing that they are not told anyway: a
// node says in hello which one it is. Making a key and a certificate for each would
// be most of what a stranger's offer costs.
type certificates struct {
	mu sync.Mutex
	// Guarded by mu.
	latest pion.Certificate
	renew  time.Time // zero before there is one
}

// current returns the certificate of a connection that begins now.
func (c *certificates) current() (pion.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Certificates expire by the calendar, also while a machine sleeps.
	now := time.Now().Round(0)
	if now.Before(c.renew) {
		return c.latest, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pion.Certificate{}, err
	}
	made, err := pion.GenerateCertificate(key)
	if err != nil {
		return pion.Certificate{}, err
	}
	c.latest, c.renew = *made, now.Add(certificateUse)
	return c.latest, nil
}
