// Package manifests tests deploy/kubernetes. It builds each object as a user does, decodes it strictly, and
// validates each configuration with the built collector.
package manifests
