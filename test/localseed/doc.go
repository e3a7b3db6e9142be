// Package localseed runs the seed on this machine as people do, as a program, with
// a certificate of an authority that was made for the test.
package localseed
