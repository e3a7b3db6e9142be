// Package examples holds programs to learn from, one in each folder, and the
// test that runs them.
package examples
