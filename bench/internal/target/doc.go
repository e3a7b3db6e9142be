// Package target starts the servers that the benchmark measures, reads from the kernel what they cost, and ends them.
package target
