// Package markdown takes code out of the documents for people, so that tests run what a
// reader copies.
package markdown
