package finding

import "time"

// Key is the key of an attribute, in the spellings of OpenTelemetry and of Prometheus.
type Key = key

// NewKey returns the Key of an attribute of OpenTelemetry.
func NewKey(name string) Key { return keyOf(name) }

// Value returns the value of an attribute, cleaned as all names are.
func (a Attributes) Value(k Key) string { return a.get(k) }

// Clean returns a name on one line, valid, and of a length that can be shown.
func Clean(name string) string { return clean(name) }

// Service returns the service that the point is of.
func (p Point) Service() Service { return serviceOf(p) }

// Instance returns the name of the process that the point is of, unique in its service.
func (p Point) Instance() string { return instanceOf(p) }

// Place returns where the goroutines of the point are.
func (p Point) Place() Place { return placeOf(p) }

// Valid reports whether the point has a number and a time that can be true.
func (p Point) Valid() bool { return p.valid() }

// Group identifies a group of goroutines in all versions of a service: its state, function
// and entry, without the line and without the numbers of closures.
func (p Place) Group() string { return p.group() }

// Version is a build of a service.
type Version struct {
	Name string
	// Revision is that of version control, empty if unknown.
	Revision string
	First    time.Time // when data of it came first
}

// Versions returns the builds of a service that are remembered, the oldest first.
func (b *Book) Versions(name Service) []Version {
	s := b.services[name]
	if s == nil {
		return nil
	}
	versions := make([]Version, 0, len(s.Versions))
	for _, v := range s.Versions {
		versions = append(versions, Version{s.versionName(v.Number), v.Build.Revision, v.First})
	}
	return versions
}

// Number returns a number as evidence tells it.
func Number(n float64) string { return number(n) }

// Span returns a time as evidence tells it, in two units at most.
func Span(d time.Duration) string { return span(d) }
