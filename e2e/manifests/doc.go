// Package manifests holds the tests of what deploy/kubernetes installs: each object is built
// as its user builds it, decoded strictly, and each configuration in it is given to the built
// collector.
package manifests
