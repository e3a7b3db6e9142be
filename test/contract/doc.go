// Package contract holds the operator and the seed to each other: neither imports
// the other, and what one says the other has to understand.
package contract
