// Package rotation replaces a secret that all seeds of a network share, such as the
// one that TURN credentials are made of, without a moment in which something made by one
// seed is refused by another.
//
// A new secret is first one that seeds take, then, after all of them have read it, the
// one that they use, while they take the old one for as long as what was made of it
// is good.
package rotation
