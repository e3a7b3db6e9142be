package turn

import (
	"net"
	"time"

	"github.com/pion/stun"
)

// authenticate is pion's AuthHandler. What it returns, pion computes the request's
// integrity with; it has been compared here before, to find out which secret is right.
func (g *gate) authenticate(username, _ string, _ net.Addr) ([]byte, bool) {
	key, reason := g.keyOf(username)
	if key == nil {
		g.server.metrics.auth.add(reason)
		g.server.notices.info("authentication failed", reason, "remote_addr", g.req.from)
		g.failed = true
		return nil, false
	}
	g.key = key
	return key, true
}

// keyOf returns the key with which the request is signed, or what is wrong.
func (g *gate) keyOf(username string) (key []byte, reason string) {
	s := g.session(g.req.from)
	if s != nil && s.username == username {
		// Its expiry does not matter any more, nor what secrets there are now.
		if g.isSignedWith(s.key) {
			return s.key, ""
		}
		return nil, AuthMismatch
	}
	if s != nil && g.req.kind != allocateRequest {
		g.refuse = stun.CodeWrongCredentials
		return nil, AuthOther
	}
	expires, _, ok := splitUsername(username)
	switch {
	case !ok:
		return nil, AuthMalformed
	case !time.Now().Before(expires):
		return nil, AuthExpired
	}
	for _, secret := range g.server.cfg.Secrets() {
		key := longTermKey(username, g.server.cfg.Realm, Password(secret, username))
		if g.isSignedWith(key) {
			return key, ""
		}
	}
	return nil, AuthMismatch
}

// isSignedWith compares in constant time.
func (g *gate) isSignedWith(key []byte) bool {
	g.checking.Raw = append(g.checking.Raw[:0], g.req.raw...)
	return g.checking.Decode() == nil && stun.MessageIntegrity(key).Check(&g.checking) == nil
}
