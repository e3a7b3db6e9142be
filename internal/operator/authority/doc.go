// Package authority is the certificate authority of the operator's own, one for each
// network that names no other. It makes the seeds' certificate, renews it after two
// thirds of its life, and is followed by another authority in time.
//
// Clients trust a bundle: the certificates of all authorities that have not expired.
// A successor is in the bundle long before it signs anything, and an authority stays
// in it until it has expired and everything that it signed has. So a client that fetches
// the bundle once in a year never meets a certificate that it does not trust.
package authority
