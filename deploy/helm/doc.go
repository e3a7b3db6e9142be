// Package helm holds the chart peer-exchange to the rest of the repository: what is
// made from the code is in it, its manifests are objects of Kubernetes, and its
// values are refused where they make no sense. `make chart` runs what needs Helm.
package helm
