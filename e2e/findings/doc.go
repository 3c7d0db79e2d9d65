// Package findings tests the built collector (receiver, detector and leak_events) with a service that has
// eleven leaks. Each leak must become one finding with its creator, waker, class and version, and the version
// that repairs a leak must close that finding alone.
package findings
