// Package plan decides: how many seeds there are to be, at which addresses clients
// reach each of them, what of it is published, and which networks are the cluster's
// own. It sees what was observed and returns what is to be, and neither asks nor
// changes anything.
package plan
