package seed

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// jwtLeeway is how far clocks may be apart.
const jwtLeeway = 30 * time.Second

// jwtClaims are those that count beside exp, nbf and iat.
type jwtClaims struct {
	jwt.Claims
	Network *string `json:"network"` // the one that the token is for; missing is any
}

// checkJWT tells why a JSON Web Token is not good for a network now.
func checkJWT(token string, keys []jwtKey, network string, now time.Time) error {
	claims, err := verifyJWT(token, keys)
	if err != nil {
		return err
	}
	whose := "the token"
	if claims.Subject != "" {
		whose = fmt.Sprintf("the token of %.64q", claims.Subject)
	}
	if claims.Expiry == nil {
		return fmt.Errorf("%s has no expiry (exp)", whose)
	}
	if claims.Network != nil && *claims.Network != network {
		return fmt.Errorf("%s is for another network (network)", whose)
	}
	switch err := claims.ValidateWithLeeway(jwt.Expected{Time: now}, jwtLeeway); {
	case errors.Is(err, jwt.ErrExpired):
		return fmt.Errorf("%s expired at %s (exp)", whose, claims.Expiry.Time().UTC().Format(time.RFC3339))
	case err != nil:
		return fmt.Errorf("%s is not good yet (nbf, iat)", whose)
	}
	return nil
}

// verifyJWT returns the claims of a token that one of the keys has signed.
func verifyJWT(token string, keys []jwtKey) (*jwtClaims, error) {
	var accepted []jose.SignatureAlgorithm
	for _, k := range keys {
		accepted = append(accepted, k.algorithms...)
	}
	signed, err := jwt.ParseSigned(token, accepted)
	if err != nil || len(signed.Headers) != 1 {
		slices.Sort(accepted)
		return nil, fmt.Errorf("the token is not a JWT that is signed with %v", slices.Compact(accepted))
	}
	header := signed.Headers[0]
	for _, k := range keys {
		switch {
		case !slices.Contains(k.algorithms, jose.SignatureAlgorithm(header.Algorithm)),
			header.KeyID != "" && k.id != "" && header.KeyID != k.id:
			continue
		}
		var claims jwtClaims
		err := signed.Claims(k.key, &claims)
		if err == nil {
			return &claims, nil
		}
		if !errors.Is(err, jose.ErrCryptoFailure) {
			return nil, errors.New("the token's claims or header make no sense")
		}
	}
	return nil, errors.New("the token is signed with a key that is not one of this network")
}
