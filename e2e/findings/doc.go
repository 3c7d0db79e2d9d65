// Package findings watches a service that leaks in ten ways, and one more by a timer, with the
// built collector: receiver, detector and leak_events. Each leak must become one finding with its
// creator, waker, class and version, and the version that repairs one must close that one alone.
package findings
