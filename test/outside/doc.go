// Package outside tests a network of seeds as applications find it: by nothing
// but its published addresses, with clients that nobody here wrote among them.
// A [Network] says what is published. The scenarios run against seeds on this
// machine, and against those of a cluster, from outside of it.
package outside
