// Package tcp is the transport "tcp": the exchange's stream straight on a TCP
// connection, or on TLS over one with Options.Secure. The npm package speaks
// plain TCP only, and its browser build not even that.
package tcp
