// Package generated holds files to what is made for them from the code. A test that
// calls it writes them instead when it runs with -update, as `make generate` runs it.
package generated
