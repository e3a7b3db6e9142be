// Package interop holds the tests that put this module beside the published
// npm clients, unmodified and of both generations; see package clients, which
// starts them.
//
// The tests have the build tag interop, since they need Node, the packages that
// `npm ci` installs, Chromium, and NSS's certutil:
//
//	npm --prefix test/clients/node ci && go test -tags interop ./test/interop
//
// The scenarios are tables of who plays which role.
package interop
