package seed

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	jwtSecret      = "the first secret of the tests, 32 bytes or more"
	otherJWTSecret = "the second secret of the tests, 32 bytes or more"
)

func inAnHour() int64 { return time.Now().Add(time.Hour).Unix() }

func hmacKeys(t *testing.T) *jwtKeys {
	t.Helper()
	k := &jwtKeys{parse: parseJWTSecrets}
	if err := k.replace([][]byte{[]byte(jwtSecret + "\n" + otherJWTSecret)}); err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, options *jose.SignerOptions, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// signed is a token of which nobody has looked whether its claims are any.
func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key any, payload string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	token, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func signHS256(t *testing.T, secret string, claims any) string {
	t.Helper()
	return sign(t, jose.HS256, []byte(secret), nil, claims)
}

func TestJWTClaims(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	keys := hmacKeys(t).all()
	for name, c := range map[string]struct {
		claims map[string]any
		want   string // in the error; empty is none
	}{
		"good":                 {map[string]any{"sub": "alice", "exp": at(time.Hour), "nbf": at(-time.Hour), "iat": at(-time.Hour), "network": "net"}, ""},
		"no more than expiry":  {map[string]any{"exp": at(time.Hour)}, ""},
		"other claims":         {map[string]any{"exp": at(time.Hour), "iss": "x", "aud": []string{"a", "b"}, "more": map[string]any{"x": 1}}, ""},
		"expired":              {map[string]any{"sub": "alice", "exp": at(-time.Minute)}, `the token of "alice" expired at 2027-01-15T07:59:00Z`},
		"clocks apart":         {map[string]any{"exp": at(-jwtLeeway), "nbf": at(jwtLeeway), "iat": at(jwtLeeway)}, ""},
		"too far apart":        {map[string]any{"exp": at(-jwtLeeway - time.Second)}, "expired"},
		"not yet":              {map[string]any{"exp": at(time.Hour), "nbf": at(time.Minute)}, "not good yet"},
		"made in the future":   {map[string]any{"exp": at(time.Hour), "iat": at(time.Minute)}, "not good yet"},
		"no expiry":            {map[string]any{"sub": "alice"}, "no expiry"},
		"null expiry":          {map[string]any{"exp": nil}, "no expiry"},
		"another network":      {map[string]any{"exp": at(time.Hour), "network": "other"}, "another network"},
		"no network's name":    {map[string]any{"exp": at(time.Hour), "network": ""}, "another network"},
		"network of one's own": {map[string]any{"exp": at(time.Hour), "network": []string{"net"}}, "make no sense"},
		"expiry in words":      {map[string]any{"exp": "tomorrow"}, "make no sense"},
		"expiry for ever":      {map[string]any{"exp": 1e300}, "make no sense"},
		"a long subject":       {map[string]any{"sub": strings.Repeat("x", 2000), "exp": at(-time.Hour)}, strings.Repeat("x", 64) + `"`},
	} {
		err := checkJWT(signHS256(t, otherJWTSecret, c.claims), keys, "net", now)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q", name, err, c.want)
		}
	}
}

// keyPair is a key of one kind that tokens are signed with.
type keyPair struct {
	private   crypto.Signer
	algorithm jose.SignatureAlgorithm
}

func newKeyPairs(t *testing.T) map[string]keyPair {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pairs := map[string]keyPair{
		"RS256": {rsaKey, jose.RS256}, "RS384": {rsaKey, jose.RS384}, "RS512": {rsaKey, jose.RS512},
		"EdDSA": {edKey, jose.EdDSA},
	}
	for algorithm, curve := range map[jose.SignatureAlgorithm]elliptic.Curve{jose.ES256: elliptic.P256(), jose.ES384: elliptic.P384(), jose.ES512: elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		pairs[string(algorithm)] = keyPair{key, algorithm}
	}
	return pairs
}

func jwks(t *testing.T, keys ...jose.JSONWebKey) []byte {
	t.Helper()
	content, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func keysOf(t *testing.T, keys ...jose.JSONWebKey) []jwtKey {
	t.Helper()
	parsed, err := parseJWKS(jwks(t, keys...))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestJWTOfEveryKind(t *testing.T) {
	pairs := newKeyPairs(t)
	claims := map[string]any{"exp": inAnHour()}
	var all []jose.JSONWebKey
	for name, p := range pairs {
		all = append(all, jose.JSONWebKey{Key: p.private.Public(), KeyID: name})
	}
	for name, p := range pairs {
		token := sign(t, p.algorithm, p.private, nil, claims)
		for how, keys := range map[string][]jwtKey{
			"alone":         keysOf(t, jose.JSONWebKey{Key: p.private.Public()}),
			"with alg":      keysOf(t, jose.JSONWebKey{Key: p.private.Public(), Algorithm: name, Use: "sig"}),
			"among others":  keysOf(t, all...),
			"with a secret": append(keysOf(t, all...), hmacKeys(t).all()...),
		} {
			if err := checkJWT(token, keys, "net", time.Now()); err != nil {
				t.Errorf("%s %s: %v", name, how, err)
			}
		}
		withID := sign(t, p.algorithm, jose.JSONWebKey{Key: p.private, KeyID: name}, nil, claims)
		if err := checkJWT(withID, keysOf(t, all...), "net", time.Now()); err != nil {
			t.Errorf("%s with its id: %v", name, err)
		}
	}
}

func TestJWTThatNobodyMade(t *testing.T) {
	pairs, others := newKeyPairs(t), newKeyPairs(t)
	claims := map[string]any{"exp": inAnHour()}
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	rsaKey, ec := pairs["RS256"].private, pairs["ES256"].private
	rsaOnly, ecOnly := keysOf(t, jose.JSONWebKey{Key: rsaKey.Public(), KeyID: "a"}), keysOf(t, jose.JSONWebKey{Key: ec.Public()})
	public, err := json.Marshal(jose.JSONWebKey{Key: rsaKey.Public()})
	if err != nil {
		t.Fatal(err)
	}
	good := sign(t, jose.RS256, rsaKey, nil, claims)
	parts := strings.Split(good, ".")
	embedded := sign(t, jose.RS256, others["RS256"].private, &jose.SignerOptions{EmbedJWK: true}, claims)
	for name, c := range map[string]struct {
		token string
		keys  []jwtKey
	}{
		"another key":             {sign(t, jose.RS256, others["RS256"].private, nil, claims), rsaOnly},
		"another key of its name": {sign(t, jose.RS256, jose.JSONWebKey{Key: others["RS256"].private, KeyID: "a"}, nil, claims), rsaOnly},
		"right key, wrong name":   {sign(t, jose.RS256, jose.JSONWebKey{Key: rsaKey, KeyID: "b"}, nil, claims), rsaOnly},
		"a key of its own":        {embedded, rsaOnly},
		"no algorithm":            {encode(`{"alg":"none"}`) + "." + parts[1] + ".", rsaOnly},
		"no algorithm, any case":  {encode(`{"alg":"None"}`) + "." + parts[1] + "." + parts[2], rsaOnly},
		"public key as secret":    {sign(t, jose.HS256, public, nil, claims), rsaOnly},
		"and with other secrets":  {sign(t, jose.HS256, public, nil, claims), append(hmacKeys(t).all(), rsaOnly...)},
		"another kind":            {sign(t, jose.ES256, ec, nil, claims), rsaOnly},
		"yet another":             {sign(t, jose.RS256, rsaKey, nil, claims), ecOnly},
		"PS256 of an RSA key":     {sign(t, jose.PS256, rsaKey, nil, claims), rsaOnly},
		"another secret":          {signHS256(t, "a secret of somebody else, 32 bytes or more", claims), hmacKeys(t).all()},
		"HS512":                   {sign(t, jose.HS512, []byte(jwtSecret+strings.Repeat("x", 64)), nil, claims), hmacKeys(t).all()},
		"other claims":            {parts[0] + "." + encode(`{"exp":9999999999}`) + "." + parts[2], rsaOnly},
		"other header":            {encode(`{"alg":"RS256","x":1}`) + "." + parts[1] + "." + parts[2], rsaOnly},
		"no signature":            {parts[0] + "." + parts[1] + ".", rsaOnly},
		"critical header":         {sign(t, jose.RS256, rsaKey, (&jose.SignerOptions{}).WithCritical("x").WithHeader("x", 1), claims), rsaOnly},
		"claims that are none":    {signed(t, jose.RS256, rsaKey, "[1]"), rsaOnly},
		"no JWT":                  {"a.b.c", rsaOnly},
		"empty":                   {"..", rsaOnly},
		"for RS512":               {good, keysOf(t, jose.JSONWebKey{Key: rsaKey.Public(), Algorithm: "RS512"})},
	} {
		err := checkJWT(c.token, c.keys, "net", time.Now())
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), c.token) {
			t.Errorf("%s: the error shows the token", name)
		}
	}
	if err := checkJWT(good, rsaOnly, "net", time.Now()); err != nil {
		t.Errorf("the one that is good: %v", err)
	}
}

func TestParseJWKS(t *testing.T) {
	pairs := newKeyPairs(t)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	ed := jose.JSONWebKey{Key: pairs["EdDSA"].private.Public()}
	many := make([]jose.JSONWebKey, maxJWTKeys+1)
	for i := range many {
		many[i] = ed
	}
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"nothing":            {nil, "no JWK Set"},
		"a PEM file":         {[]byte("-----BEGIN PUBLIC KEY-----"), "no JWK Set"},
		"no set":             {[]byte(`[]`), "no JWK Set"},
		"no keys":            {[]byte(`{"keys":[]}`), "there is no key"},
		"one key, no set":    {[]byte(`{"kty":"OKP","crv":"Ed25519"}`), "there is no key"},
		"a key that is none": {[]byte(`{"keys":[7]}`), "key 1"},
		"half a key":         {[]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA"}]}`), "key 1"},
		"a private key":      {jwks(t, ed, jose.JSONWebKey{Key: pairs["ES256"].private}), "key 2: it is a private key"},
		"a private Ed25519":  {jwks(t, jose.JSONWebKey{Key: pairs["EdDSA"].private}), "private key"},
		"a secret":           {jwks(t, jose.JSONWebKey{Key: []byte(jwtSecret)}), "--jwt-secret-file"},
		"a short RSA key":    {jwks(t, jose.JSONWebKey{Key: small.Public()}), "1024 bits"},
		"the wrong alg":      {jwks(t, jose.JSONWebKey{Key: pairs["ES256"].private.Public(), Algorithm: "RS256"}), "want one of [ES256]"},
		"too many":           {jwks(t, many...), "more than 32"},
		"keys to encrypt":    {jwks(t, jose.JSONWebKey{Key: pairs["RS256"].private.Public(), Use: "enc"}), "there is no key"},
	} {
		if _, err := parseJWKS(c.content); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want %q", name, err, c.want)
		} else if strings.Contains(err.Error(), jwtSecret) {
			t.Errorf("%s: the error shows the secret", name)
		}
	}
	// What others publish beside the keys that sign.
	mixed := `{"keys":[{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"},{"kty":"OKP","crv":"X25519","x":"AA"},{"kty":"new"},` +
		strings.TrimPrefix(string(jwks(t, ed)), `{"keys":[`)
	if keys, err := parseJWKS([]byte(mixed)); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestParseJWTSecrets(t *testing.T) {
	if _, err := parseJWTSecrets([]byte(jwtSecret[:minJWTSecretBytes-1])); err == nil || !strings.Contains(err.Error(), "fewer than 32") {
		t.Errorf("a short secret: %v", err)
	}
	if keys, err := parseJWTSecrets([]byte(jwtSecret[:minJWTSecretBytes] + "\n")); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// TestMembersBySeveralSources has a network with shared tokens and both kinds of JWT.
func TestMembersBySeveralSources(t *testing.T) {
	pair := newKeyPairs(t)["ES256"]
	keys := &jwtKeys{parse: parseJWKS}
	if err := keys.replace([][]byte{jwks(t, jose.JSONWebKey{Key: pair.private.Public()})}); err != nil {
		t.Fatal(err)
	}
	shared := new(sharedTokens)
	if err := shared.replace([][]byte{[]byte(firstToken + "\nlooks.like.a-token")}); err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{"exp": inAnHour()}
	hs, es := signHS256(t, jwtSecret, claims), sign(t, jose.ES256, pair.private, nil, claims)
	all := &members{network: "net", shared: shared, secrets: hmacKeys(t), keys: keys}
	for _, token := range []string{firstToken, "looks.like.a-token", hs, es} {
		if err := all.check(token); err != nil {
			t.Errorf("%.20s: %v", token, err)
		}
	}
	for _, c := range []struct {
		m     *members
		token string
		want  error // nil is any
	}{
		{all, "", errNoToken},
		{all, noToken, errUnknownToken},
		{all, "looks.like.another", nil},
		{&members{network: "net", shared: shared}, hs, errUnknownToken},
		{&members{network: "net", shared: shared, keys: keys}, hs, nil},
		{&members{network: "net", secrets: hmacKeys(t)}, es, nil},
		{&members{network: "net", secrets: hmacKeys(t)}, firstToken, errUnknownToken},
	} {
		if err := c.m.check(c.token); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%.20s: %v, want %v", c.token, err, c.want)
		}
	}
}

// FuzzJWT has strangers present anything. Nothing but what was signed is good.
func FuzzJWT(f *testing.F) {
	secret := &jwtKeys{parse: parseJWTSecrets}
	if err := secret.replace([][]byte{[]byte(jwtSecret)}); err != nil {
		f.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(jwtSecret)}, nil)
	if err != nil {
		f.Fatal(err)
	}
	good, err := jwt.Signed(signer).Claims(map[string]any{"exp": 4102444800}).Serialize()
	if err != nil {
		f.Fatal(err)
	}
	for _, token := range []string{good, "", "..", "e30.e30.", good + "=", strings.Replace(good, ".", "..", 1)} {
		f.Add(token)
	}
	now := time.Unix(1_800_000_000, 0)
	f.Fuzz(func(t *testing.T, token string) {
		err := checkJWT(token, secret.all(), "net", now)
		head, _, _ := strings.Cut(token, ".")
		if err == nil && !strings.HasPrefix(good, head) {
			t.Fatalf("%q is good", token)
		}
	})
}
