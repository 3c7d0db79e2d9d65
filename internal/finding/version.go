package finding

import (
	"slices"
	"time"
)

// build identifies the binary of a process.
type build struct {
	ID       string `json:"id,omitempty"`
	Revision string `json:"revision,omitempty"`
	Version  string `json:"version,omitempty"`
}

func buildOf(p Point) build {
	return build{p.attribute(keyBuild), p.attribute(keyRevision), p.attribute(keyVersion)}
}

// add sets the parts that are known in more.
func (b *build) add(more build) {
	for _, part := range [...]struct{ to, from *string }{
		{&b.ID, &more.ID},
		{&b.Revision, &more.Revision},
		{&b.Version, &more.Version},
	} {
		if *part.from != "" {
			*part.to = *part.from
		}
	}
}

// differs reports whether two builds differ in a part that both have.
func (b build) differs(c build) bool {
	differ := func(x, y string) bool { return x != "" && y != "" && x != y }
	return differ(b.ID, c.ID) || differ(b.Revision, c.Revision) || differ(b.Version, c.Version)
}

// matches reports whether two builds agree in a part that both have, and differ in none.
func (b build) matches(c build) bool {
	agree := func(x, y string) bool { return x != "" && x == y }
	return !b.differs(c) && (agree(b.ID, c.ID) || agree(b.Revision, c.Revision) || agree(b.Version, c.Version))
}

func (b build) known() bool { return b != build{} }

// knownParts returns the number of parts that are known.
func (b build) knownParts() int {
	n := 0
	for _, part := range [...]string{b.ID, b.Revision, b.Version} {
		if part != "" {
			n++
		}
	}
	return n
}

// version is a build of a service. Versions are numbered in the order in which they were first seen.
type version struct {
	Number int       `json:"number"`
	Build  build     `json:"build"`
	First  time.Time `json:"first"`
	Seen   time.Time `json:"seen"` // of any of its processes, by arrival
}

// maxVersions bounds the versions of a service: a week of ten deploys a day. The version that was
// seen least recently is deleted first.
const maxVersions = 64

// versionOf returns the version number of a build, 0 if the build is unknown. A build keeps its
// number when more of it becomes known.
func (s *service) versionOf(b build, at, now time.Time) int {
	if !b.known() {
		return 0
	}
	for _, v := range slices.Backward(s.Versions) {
		if v.Build.matches(b) {
			v.Build.add(b)
			v.Seen = now
			if at.Before(v.First) {
				v.First = at
			}
			return v.Number
		}
	}
	if len(s.Versions) >= maxVersions {
		oldest := slices.MinFunc(s.Versions, func(a, b *version) int { return a.Seen.Compare(b.Seen) })
		s.Versions = slices.DeleteFunc(s.Versions, func(v *version) bool { return v == oldest })
	}
	s.LastVersion++
	s.Versions = append(s.Versions, &version{Number: s.LastVersion, Build: b, First: at, Seen: now})
	return s.LastVersion
}

func (s *service) version(number int) *version {
	for _, v := range s.Versions {
		if v.Number == number {
			return v
		}
	}
	return nil
}

// versionName returns the name of a version, empty if unknown. It includes the build if another
// build has the same name.
func (s *service) versionName(number int) string {
	v := s.version(number)
	if v == nil {
		return ""
	}
	short := func(hex string, n int) string { return hex[:min(n, len(hex))] }
	name := v.Build.Version
	if name == "" {
		name = short(v.Build.Revision, 12)
	}
	if name == "" {
		return short(v.Build.ID, 8)
	}
	for _, w := range s.Versions {
		if w != v && w.Build.Version == v.Build.Version && v.Build.Version != "" && v.Build.knownParts() > 1 {
			if v.Build.ID != "" {
				return name + " (build " + short(v.Build.ID, 8) + ")"
			}
			return name + " (revision " + short(v.Build.Revision, 12) + ")"
		}
	}
	return name
}
