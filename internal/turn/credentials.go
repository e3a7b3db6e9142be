package turn

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // what STUN's long-term credentials are made of
	"crypto/sha1" //nolint:gosec // what the TURN REST convention is made of
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// maxUsernameBytes is STUN's limit (RFC 8489 section 14.3, "less than 509").
const maxUsernameBytes = 508

// Credentials returns ephemeral credentials after the TURN REST convention
// (draft-uberti-behave-turn-rest): the username is "expiry:name" with the expiry in
// Unix seconds, the password the base64 of its HMAC-SHA1 by the first secret. Until
// the expiry they are good for new allocations; an allocation that is there may be
// refreshed with them as long as it lasts. name tells clients apart for the quota of
// allocations per credential; it is at most 400 bytes of text.
func (s *Server) Credentials(name string) (username, password string, expires time.Time) {
	expires = time.Now().Add(s.cfg.CredentialTTL).Truncate(time.Second)
	username = strconv.FormatInt(expires.Unix(), 10) + ":" + name
	if secrets := s.cfg.Secrets(); len(secrets) > 0 {
		password = Password(secrets[0], username)
	}
	return username, password, expires
}

// Password is the password of a username by a shared secret, after the TURN REST
// convention.
func Password(secret []byte, username string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// longTermKey is what MESSAGE-INTEGRITY is computed with (RFC 8489 section 9.2.2).
func longTermKey(username, realm, password string) []byte {
	sum := md5.Sum([]byte(username + ":" + realm + ":" + password)) //nolint:gosec // given by the RFC
	return sum[:]
}

// splitUsername takes "expiry:name" or "expiry" apart. It is false for anything else.
func splitUsername(username string) (expires time.Time, name string, ok bool) {
	if len(username) > maxUsernameBytes {
		return time.Time{}, "", false
	}
	digits, name, _ := strings.Cut(username, ":")
	seconds, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || seconds > 1<<40 {
		return time.Time{}, "", false
	}
	return time.Unix(int64(seconds), 0), name, true
}

// quotaName is the name that a credential's allocations are counted by: the name
// that it was given out for, so that fetching more of them brings no more
// allocations, and for want of one the credential itself.
func quotaName(username string) string {
	if _, name, ok := splitUsername(username); ok && name != "" {
		return name
	}
	return username
}
