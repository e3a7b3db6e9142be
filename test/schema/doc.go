// Package schema does to PeerNetworks what an API server does when one is
// written: it fills in defaults and checks the schema and its rules, with the API
// server's own code and without running one.
package schema
