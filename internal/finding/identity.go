package finding

import "time"

// Key is the key of an attribute, in the spellings of OpenTelemetry and Prometheus.
type Key = key

// NewKey returns the Key of an OpenTelemetry attribute.
func NewKey(name string) Key { return keyOf(name) }

// Value returns the value of an attribute, cleaned by Clean.
func (a Attributes) Value(k Key) string { return a.get(k) }

// Clean returns a name on one line, in valid UTF-8, and of limited length.
func Clean(name string) string { return clean(name) }

// Service returns the service of the point.
func (p Point) Service() Service { return serviceOf(p) }

// Instance returns the name of the process of the point, unique in its service.
func (p Point) Instance() string { return instanceOf(p) }

// Place returns the place of the goroutines of the point.
func (p Point) Place() Place { return placeOf(p) }

// Valid reports whether the value and the time of the point are possible.
func (p Point) Valid() bool { return p.valid() }

// Group identifies a group of goroutines in all versions of a service: its state, function
// and entry, without the line and without the numbers of closures.
func (p Place) Group() string { return p.group() }

// Version is a build of a service.
type Version struct {
	Name string
	// Revision is the revision in version control, empty if unknown.
	Revision string
	First    time.Time // time of its first data
}

// Versions returns the known versions of a service, oldest first.
func (t *Tracker) Versions(name Service) []Version {
	s := t.services[name]
	if s == nil {
		return nil
	}
	versions := make([]Version, 0, len(s.Versions))
	for _, v := range s.Versions {
		versions = append(versions, Version{s.versionName(v.Number), v.Build.Revision, v.First})
	}
	return versions
}

// Number formats a number as evidence does.
func Number(n float64) string { return number(n) }

// Span formats a duration as evidence does, in at most two units.
func Span(d time.Duration) string { return span(d) }
