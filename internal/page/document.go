package page

import (
	"encoding/json"
	"math"
	"net/url"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Document is a finding as JSON: what a page shows of it, in 2,000 tokens at most.
type Document struct {
	ID       string          `json:"id" doc:"the same in all instances and versions of the service"`
	Link     string          `json:"link,omitempty" doc:"the page of the finding, relative to the server"`
	Service  ServiceDocument `json:"service" doc:"what replicas and successive versions have in common"`
	Status   string          `json:"status" doc:"open, waiting (its processes are gone), closed (by a version) or over"`
	Severity string          `json:"severity" doc:"suspected, probable or confirmed; none if it is not open"`
	Evidence string          `json:"evidence" doc:"what is known, in one sentence"`
	First    []string        `json:"do_first,omitempty" doc:"what to do first"`

	Head   PlaceDocument   `json:"head" doc:"where the goroutines are"`
	Places []PlaceDocument `json:"companions,omitempty" doc:"further lines of the same leak"`
	// Class, Title and Guide are the kind of the mistake.
	Class string `json:"class,omitempty" doc:"the kind of the mistake"`
	Title string `json:"class_text,omitempty" doc:"the kind of the mistake in words"`
	Guide string `json:"guide,omitempty" doc:"the page that tells how to repair it"`

	Creators []OriginDocument `json:"creators,omitempty" doc:"the lines that start the goroutines"`
	Wakers   []OriginDocument `json:"wakers,omitempty" doc:"the lines that wake their healthy siblings"`
	Stacks   []StackDocument  `json:"stacks,omitempty" doc:"stacks of creators and wakers, the leaf first"`

	Count     float64 `json:"leaked_goroutines" doc:"goroutines believed leaked now"`
	PerHour   float64 `json:"goroutines_per_hour" doc:"how many more each hour"`
	Exits     float64 `json:"exits" doc:"how many of that age have left since it was flagged; -1 if unknown"`
	AgeMin    float64 `json:"age_min_seconds,omitempty" doc:"the age at which they gather"`
	Instances int     `json:"instances" doc:"instances with the leak"`
	Of        int     `json:"of_instances" doc:"instances of the service"`

	Began    string `json:"began,omitempty" doc:"when they began to gather, RFC 3339"`
	Detected string `json:"detected,omitempty" doc:"when it was found, RFC 3339"`
	Latest   string `json:"latest,omitempty" doc:"when it was seen last, RFC 3339"`

	FirstVersion string  `json:"first_version,omitempty" doc:"the first version that has shown it"`
	LastVersion  string  `json:"last_version,omitempty" doc:"the last version that has shown it"`
	Introduced   bool    `json:"introduced,omitempty" doc:"an earlier version is known, which does not show it"`
	ClosedBy     string  `json:"closed_by,omitempty" doc:"the version without it"`
	CertainIn    float64 `json:"certain_in_seconds,omitempty" doc:"in how long its absence is certain, while it waits"`
	Reason       string  `json:"end_reason,omitempty" doc:"why it is over"`

	Held         float64 `json:"memory_bytes,omitempty" doc:"memory that the goroutines hold"`
	PerGoroutine float64 `json:"memory_bytes_per_goroutine,omitempty" doc:"memory that one goroutine holds"`
	Limit        string  `json:"limit,omitempty" doc:"what it runs into first: goroutines or memory"`
	LimitIn      float64 `json:"limit_in_seconds,omitempty" doc:"in how long"`
	Acquittal    string  `json:"acquittal,omitempty" doc:"what would end it, in words"`

	History *HistoryDocument `json:"history,omitempty" doc:"the goroutines of its groups over time"`
	Answer  *AnswerDocument  `json:"version_answer,omitempty" doc:"whether the version in the parameter version closed it"`
}

// ServiceDocument names a service.
type ServiceDocument struct {
	Name         string `json:"name" doc:"service.name"`
	Namespace    string `json:"namespace,omitempty" doc:"service.namespace"`
	Environment  string `json:"environment,omitempty" doc:"deployment.environment.name"`
	Cluster      string `json:"cluster,omitempty" doc:"k8s.cluster.name"`
	K8sNamespace string `json:"k8s_namespace,omitempty" doc:"k8s.namespace.name"`
}

// PlaceDocument is a line, or a function that goroutines were started with.
type PlaceDocument struct {
	State    string `json:"state,omitempty" doc:"why they wait; empty if they never end"`
	Function string `json:"function,omitempty" doc:"the function to blame"`
	File     string `json:"file,omitempty" doc:"its file"`
	Line     int    `json:"line,omitempty" doc:"its line"`
	Entry    string `json:"entry,omitempty" doc:"the function that they were started with"`
	Module   string `json:"module,omitempty" doc:"the dependency that it is in"`
	Source   string `json:"source,omitempty" doc:"a link to the source"`
}

// OriginDocument is a line that starts or wakes goroutines.
type OriginDocument struct {
	Function string  `json:"function" doc:"its function, or a timer, or C"`
	File     string  `json:"file,omitempty" doc:"its file"`
	Line     int     `json:"line,omitempty" doc:"its line"`
	Share    float64 `json:"share" doc:"of all that were seen, 0 to 1"`
	Source   string  `json:"source,omitempty" doc:"a link to the source"`
}

// StackDocument is a stack.
type StackDocument struct {
	Title  string   `json:"title" doc:"whose it is"`
	Frames []string `json:"frames" doc:"function file:line"`
}

// HistoryDocument is a curve.
type HistoryDocument struct {
	Start string    `json:"start" doc:"of the first value, RFC 3339"`
	Step  float64   `json:"step_seconds" doc:"between two values"`
	Count []float64 `json:"goroutines" doc:"all goroutines of the groups; -1 is unknown"`
	Aged  []float64 `json:"aged,omitempty" doc:"those that are aged; -1 is unknown"`
}

// AnswerDocument says whether a version closed a finding.
type AnswerDocument struct {
	Version string `json:"version" doc:"the version that was asked for"`
	Closed  string `json:"closed" doc:"yes, no, not_yet_certain or unknown"`
	Why     string `json:"why" doc:"in words"`
}

// detailLevel is how much a document has of what may be long.
type detailLevel struct{ name, places, origins, stacks, frames, values int }

// levels are tried until a document is short enough.
var levels = [...]detailLevel{
	{200, 10, 3, 4, 10, 24},
	{160, 5, 3, 2, 6, 12},
	{120, 3, 2, 1, 4, 6},
	{60, 1, 1, 0, 0, 0},
}

// maxDocument is how long a document may be, in bytes: 2,000 tokens of three letters.
const maxDocument = 6000

// document returns a finding as JSON, at the highest level of detail that is short enough.
func (r *renderer) document(f *Finding, version string) ([]byte, error) {
	var data []byte
	for _, level := range levels {
		d := r.documentOf(f, level)
		if version != "" {
			d.Answer = answer(f, version)
		}
		var err error
		if data, err = json.Marshal(d); err != nil || len(data) <= maxDocument {
			return data, err
		}
	}
	return data, nil
}

func (r *renderer) documentOf(f *Finding, level detailLevel) Document {
	cut := func(s string) string { return shortened(s, level.name) }
	v := f.version()
	d := Document{
		ID: cut(f.ID), Link: "/findings/" + url.PathEscape(f.ID), Status: string(f.Status), Severity: f.Severity.String(), Evidence: shortened(f.Evidence, 4*level.name),
		Service: ServiceDocument{cut(f.Service.Name), cut(f.Service.Namespace), cut(f.Service.Environment), cut(f.Service.Cluster), cut(f.Service.K8sNamespace)},
		First:   r.first(f, guideOf(f.Page)),
		Class:   cut(string(f.Class)), Title: f.Class.String(), Guide: guideLink(f, r.options),
		Count: whole(f.Count), PerHour: whole(f.PerHour), Exits: whole(f.Exits), AgeMin: f.Age.Seconds(), Instances: f.Instances, Of: f.Of,
		Began: machine(f.Began), Detected: machine(f.Detected), Latest: machine(f.Latest),
		FirstVersion: cut(f.FirstVersion), LastVersion: cut(f.LastVersion), Introduced: f.Introduced, ClosedBy: cut(f.ClosedBy),
		CertainIn: f.Certain.Seconds(), Reason: cut(string(f.Reason)),
		Held: whole(f.Memory.Held), PerGoroutine: whole(f.Memory.PerGoroutine), Limit: string(f.Limit.Kind), LimitIn: math.Round(f.Limit.In.Seconds()),
		Acquittal: shortened(f.Acquittal, 2*level.name), History: historyOf(f.Chart, level.values),
	}
	for i, p := range f.Places[:min(level.places, len(f.Places))] {
		l := line{cmpOr(p.Function, p.Entry), cmpOr(p.File, p.EntryFile), p.Line}
		place := PlaceDocument{cut(p.State), cut(p.Function), cut(l.file), p.Line, cut(p.Entry), cut(p.Module()), r.options.Source.link(l, f.Service, v)}
		if place.Source = shortLink(place.Source); i == 0 {
			d.Head = place
		} else {
			d.Places = append(d.Places, place)
		}
	}
	origins := func(all []finding.Origin) []OriginDocument {
		var told []OriginDocument
		for _, o := range all[:min(level.origins, len(all))] {
			link := r.options.Source.link(originLine(o), f.Service, v)
			told = append(told, OriginDocument{cut(originName(o)), cut(o.File), o.Line, math.Round(o.Share*1000) / 1000, shortLink(link)})
		}
		return told
	}
	d.Creators, d.Wakers = origins(f.Creators), origins(f.Wakers)
	if len(f.Origins) > 0 {
		for _, s := range cutTo(history.ReadStacks(f.Origins[0].Stacks), level.stacks) {
			told := StackDocument{Title: cut(s.Title), Frames: []string{}}
			for _, frame := range cutTo(s.Frames, level.frames) {
				told.Frames = append(told.Frames, cut(frame.Function)+" "+cut(at(finding.Place{Function: frame.Function, File: frame.File, Line: frame.Line})))
			}
			d.Stacks = append(d.Stacks, told)
		}
	}
	return d
}

func cutTo[T any](all []T, most int) []T { return all[:min(most, len(all))] }

// shortLink returns a link that is not too long to be told.
func shortLink(link string) string {
	if len(link) > 300 {
		return ""
	}
	return link
}

// whole returns a number with two decimals at most.
func whole(n float64) float64 { return math.Round(n*100) / 100 }

// historyOf returns so many values of a chart at most, nil if there are none.
func historyOf(c history.Chart, most int) *HistoryDocument {
	first, last := known(c.Count)
	if most < 2 || last <= first {
		return nil
	}
	stride := (last-first)/most + 1
	h := &HistoryDocument{Start: machine(c.Start.Add(time.Duration(first) * c.Step)), Step: (time.Duration(stride) * c.Step).Seconds()}
	tops := layers(c)
	for i := first; i <= last; i += stride {
		h.Count = append(h.Count, orUnknown(c.Count[i]))
		if len(tops) > 1 {
			h.Aged = append(h.Aged, orUnknown(tops[1][i]))
		}
	}
	return h
}

func orUnknown(v float64) float64 {
	if math.IsNaN(v) {
		return -1
	}
	return whole(v)
}

// answer says whether a version closed a finding.
func answer(f *Finding, version string) *AnswerDocument {
	a := &AnswerDocument{Version: short(version), Closed: "unknown", Why: "Nothing has come of this version."}
	isKnown, first := false, false
	for i, v := range f.Versions {
		if v.Name == version {
			isKnown, first = true, i == 0
		}
	}
	switch {
	case f.Status == finding.Closed && f.ClosedBy == version:
		a.Closed, a.Why = "yes", "Not one goroutine has come, where "+finding.Number(f.Missing)+" were to be expected at the old pace."
	case f.Status == finding.Open && f.LastVersion == version, f.FirstVersion == version:
		a.Closed, a.Why = "no", "This version has shown it."
	case f.Status == finding.Waiting && isKnown:
		a.Closed, a.Why = "not_yet_certain", "It has not been seen in this version yet"
		if f.Certain > 0 {
			a.Why += "; certain in " + finding.Span(f.Certain) + " at the old pace"
		}
		a.Why += "."
	case f.Status == finding.Closed && isKnown && !first:
		a.Why = "Version " + short(f.ClosedBy) + " closed it."
	case f.Status == finding.Open && isKnown:
		a.Closed, a.Why = "not_yet_certain", "It is seen in "+short(f.LastVersion)+", of which instances still run."
	}
	return a
}
