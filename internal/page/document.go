package page

import (
	"cmp"
	"encoding/json"
	"math"
	"net/url"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Document is a finding as JSON, with the content of its page in at most 2,000 tokens.
type Document struct {
	ID       string          `json:"id" doc:"identity in all instances and versions of the service"`
	Link     string          `json:"link,omitempty" doc:"path of the page of the finding"`
	Service  ServiceDocument `json:"service" doc:"service with the leak"`
	Status   string          `json:"status" doc:"open, waiting (the processes that leaked are gone), closed (by a version) or over"`
	Severity string          `json:"severity" doc:"suspected, probable or confirmed; none if the finding is not open"`
	Evidence string          `json:"evidence" doc:"evidence in one sentence"`
	First    []string        `json:"do_first,omitempty" doc:"what to do first"`

	Head   PlaceDocument   `json:"head" doc:"place of the goroutines"`
	Places []PlaceDocument `json:"companions,omitempty" doc:"other places of the same leak"`
	Class  string          `json:"class,omitempty" doc:"kind of mistake"`
	Title  string          `json:"class_text,omitempty" doc:"kind of mistake in words"`
	Guide  string          `json:"guide,omitempty" doc:"URL of the page about its repair"`

	Creators []OriginDocument `json:"creators,omitempty" doc:"lines that start the goroutines"`
	Wakers   []OriginDocument `json:"wakers,omitempty" doc:"lines that wake healthy goroutines of the group"`
	Stacks   []StackDocument  `json:"stacks,omitempty" doc:"stacks of creators and wakers, leaf first"`

	Count     float64 `json:"leaked_goroutines" doc:"goroutines believed leaked now, without those from before the growth"`
	PerHour   float64 `json:"goroutines_per_hour" doc:"growth in goroutines per hour"`
	Exits     float64 `json:"exits" doc:"goroutines of that age that have exited since the leak was flagged; -1 if unknown"`
	AgeMin    float64 `json:"age_min_seconds,omitempty" doc:"minimum age of the leaked goroutines"`
	Instances int     `json:"instances" doc:"instances with the leak"`
	Of        int     `json:"of_instances" doc:"instances of the service"`

	Began    string `json:"began,omitempty" doc:"when the goroutines began to gather, RFC 3339"`
	Detected string `json:"detected,omitempty" doc:"when the leak was detected, RFC 3339"`
	Latest   string `json:"latest,omitempty" doc:"time of the latest evidence, RFC 3339"`

	FirstVersion string  `json:"first_version,omitempty" doc:"first version with the leak"`
	LastVersion  string  `json:"last_version,omitempty" doc:"last version with the leak"`
	Introduced   bool    `json:"introduced,omitempty" doc:"whether an earlier version is known not to have the leak"`
	ClosedBy     string  `json:"closed_by,omitempty" doc:"version that closed the leak"`
	CertainIn    float64 `json:"certain_in_seconds,omitempty" doc:"time until the absence of a waiting leak is certain"`
	Reason       string  `json:"end_reason,omitempty" doc:"why the leak ended"`

	Held         float64 `json:"memory_bytes,omitempty" doc:"memory held by all leaked goroutines"`
	PerGoroutine float64 `json:"memory_bytes_per_goroutine,omitempty" doc:"memory held by one leaked goroutine"`
	Limit        string  `json:"limit,omitempty" doc:"limit that will be reached first: goroutines or memory"`
	LimitIn      float64 `json:"limit_in_seconds,omitempty" doc:"time until the limit is reached"`
	Acquittal    string  `json:"acquittal,omitempty" doc:"what would end the finding, in words"`

	History *HistoryDocument `json:"history,omitempty" doc:"number of goroutines over time"`
	Answer  *AnswerDocument  `json:"version_answer,omitempty" doc:"whether the version in the parameter version closed the leak"`
}

// ServiceDocument identifies a service.
type ServiceDocument struct {
	Name         string `json:"name" doc:"service.name"`
	Namespace    string `json:"namespace,omitempty" doc:"service.namespace"`
	Environment  string `json:"environment,omitempty" doc:"deployment.environment.name"`
	Cluster      string `json:"cluster,omitempty" doc:"k8s.cluster.name"`
	K8sNamespace string `json:"k8s_namespace,omitempty" doc:"k8s.namespace.name"`
}

// PlaceDocument is the place of goroutines: a line, or an entry function.
type PlaceDocument struct {
	State    string `json:"state,omitempty" doc:"state of the goroutines; empty for an entry function whose goroutines never end"`
	Function string `json:"function,omitempty" doc:"blamed function"`
	File     string `json:"file,omitempty" doc:"file of the function"`
	Line     int    `json:"line,omitempty" doc:"line in the file"`
	Entry    string `json:"entry,omitempty" doc:"function that the goroutines were started with"`
	Module   string `json:"module,omitempty" doc:"module and version, if the function is in a dependency"`
	Source   string `json:"source,omitempty" doc:"URL of the source line"`
}

// OriginDocument is a line that starts or wakes goroutines.
type OriginDocument struct {
	Function string  `json:"function" doc:"function of the line, or a timer, or C"`
	File     string  `json:"file,omitempty" doc:"file of the function"`
	Line     int     `json:"line,omitempty" doc:"line in the file"`
	Share    float64 `json:"share" doc:"share of all starts or wake-ups in traces, 0 to 1"`
	Source   string  `json:"source,omitempty" doc:"URL of the source line"`
}

// StackDocument is the stack of a creator or a waker.
type StackDocument struct {
	Title  string   `json:"title" doc:"created by or woken by, with count and share"`
	Frames []string `json:"frames" doc:"function file:line"`
}

// HistoryDocument is the number of goroutines over time.
type HistoryDocument struct {
	Start string    `json:"start" doc:"time of the first value, RFC 3339"`
	Step  float64   `json:"step_seconds" doc:"time between two values"`
	Count []float64 `json:"goroutines" doc:"all goroutines of the groups; -1 if unknown"`
	Aged  []float64 `json:"aged,omitempty" doc:"aged goroutines of the groups; -1 if unknown"`
}

// AnswerDocument says whether a version closed a finding.
type AnswerDocument struct {
	Version string `json:"version" doc:"requested version"`
	Closed  string `json:"closed" doc:"yes, no, not_yet_certain or unknown"`
	Why     string `json:"why" doc:"reason in words"`
}

// detailLevel limits the parts of a document: the length of a name in bytes, and the number of
// places, origins, stacks, frames of a stack, and values of the history.
type detailLevel struct{ name, places, origins, stacks, frames, values int }

// detailLevels are tried in order until the document is small enough.
var detailLevels = [...]detailLevel{
	{200, 10, 3, 4, 10, 24},
	{160, 5, 3, 2, 6, 12},
	{120, 3, 2, 1, 4, 6},
	{60, 1, 1, 0, 0, 0},
}

// maxDocumentSize is the maximum size of a document, in bytes: 2,000 tokens of three letters.
const maxDocumentSize = 6000

// document returns a finding as JSON, at the highest level of detail that is small enough.
func (r *renderer) document(f *Finding, version string) ([]byte, error) {
	var data []byte
	for _, level := range detailLevels {
		d := r.newDocument(f, level)
		if version != "" {
			d.Answer = versionAnswer(f, version)
		}
		var err error
		if data, err = json.Marshal(d); err != nil || len(data) <= maxDocumentSize {
			return data, err
		}
	}
	return data, nil
}

func (r *renderer) newDocument(f *Finding, level detailLevel) Document {
	cut := func(s string) string { return truncate(s, level.name) }
	v := f.version()
	d := Document{
		ID: cut(f.ID), Link: "/findings/" + url.PathEscape(f.ID), Status: string(f.Status), Severity: f.Severity.String(), Evidence: truncate(f.Evidence, 4*level.name),
		Service: ServiceDocument{cut(f.Service.Name), cut(f.Service.Namespace), cut(f.Service.Environment), cut(f.Service.Cluster), cut(f.Service.K8sNamespace)},
		First:   r.firstSteps(f, guideOf(f.Page)),
		Class:   cut(string(f.Class)), Title: f.Class.String(), Guide: guideLink(f, r.options),
		Count: roundTo2(f.Count), PerHour: roundTo2(f.PerHour), Exits: roundTo2(f.Exits), AgeMin: f.Age.Seconds(), Instances: f.Instances, Of: f.Of,
		Began: rfc3339(f.Began), Detected: rfc3339(f.Detected), Latest: rfc3339(f.Latest),
		FirstVersion: cut(f.FirstVersion), LastVersion: cut(f.LastVersion), Introduced: f.Introduced, ClosedBy: cut(f.ClosedBy),
		CertainIn: f.Certain.Seconds(), Reason: cut(string(f.Reason)),
		Held: roundTo2(f.Memory.Held), PerGoroutine: roundTo2(f.Memory.PerGoroutine), Limit: string(f.Limit.Kind), LimitIn: math.Round(f.Limit.In.Seconds()),
		Acquittal: truncate(f.Acquittal, 2*level.name), History: historyOf(f.Chart, level.values),
	}
	for i, p := range firstN(f.Places, level.places) {
		l := sourceLine{cmp.Or(p.Function, p.Entry), cmp.Or(p.File, p.EntryFile), p.Line}
		place := PlaceDocument{cut(p.State), cut(p.Function), cut(l.file), p.Line, cut(p.Entry), cut(p.Module()), r.options.Source.link(l, f.Service, v)}
		if place.Source = shortLink(place.Source); i == 0 {
			d.Head = place
		} else {
			d.Places = append(d.Places, place)
		}
	}
	origins := func(all []finding.Origin) []OriginDocument {
		var documents []OriginDocument
		for _, o := range firstN(all, level.origins) {
			link := r.options.Source.link(originLine(o), f.Service, v)
			documents = append(documents, OriginDocument{cut(originName(o)), cut(o.File), o.Line, math.Round(o.Share*1000) / 1000, shortLink(link)})
		}
		return documents
	}
	d.Creators, d.Wakers = origins(f.Creators), origins(f.Wakers)
	if len(f.Origins) > 0 {
		for _, s := range firstN(history.ReadStacks(f.Origins[0].Stacks), level.stacks) {
			document := StackDocument{Title: cut(s.Title), Frames: []string{}}
			for _, frame := range firstN(s.Frames, level.frames) {
				document.Frames = append(document.Frames, cut(frame.Function)+" "+cut(placeText(finding.Place{Function: frame.Function, File: frame.File, Line: frame.Line})))
			}
			d.Stacks = append(d.Stacks, document)
		}
	}
	return d
}

// firstN returns the first n elements, or all if there are fewer.
func firstN[T any](all []T, n int) []T { return all[:min(n, len(all))] }

// maxDocumentLink is the maximum length of a link in a document, in bytes.
const maxDocumentLink = 300

// shortLink returns link, or an empty string if it is too long for a document.
func shortLink(link string) string {
	if len(link) > maxDocumentLink {
		return ""
	}
	return link
}

// roundTo2 rounds n to two decimals.
func roundTo2(n float64) float64 { return math.Round(n*100) / 100 }

// historyOf returns at most maxValues values of a chart; nil if there are none.
func historyOf(c history.Chart, maxValues int) *HistoryDocument {
	first, last := knownRange(c.Count)
	if maxValues < 2 || last <= first {
		return nil
	}
	stride := (last-first)/maxValues + 1
	h := &HistoryDocument{Start: rfc3339(c.Start.Add(time.Duration(first) * c.Step)), Step: (time.Duration(stride) * c.Step).Seconds()}
	tops := layers(c)
	for i := first; i <= last; i += stride {
		h.Count = append(h.Count, orMinusOne(c.Count[i]))
		if len(tops) > 1 {
			h.Aged = append(h.Aged, orMinusOne(tops[1][i]))
		}
	}
	return h
}

func orMinusOne(v float64) float64 {
	if math.IsNaN(v) {
		return -1
	}
	return roundTo2(v)
}

// versionAnswer reports whether a version closed a finding.
func versionAnswer(f *Finding, version string) *AnswerDocument {
	a := &AnswerDocument{Version: short(version), Closed: "unknown", Why: "No data has come from this version."}
	isKnown, isFirst := false, false
	for i, v := range f.Versions {
		if v.Name == version {
			isKnown, isFirst = true, i == 0
		}
	}
	switch {
	case f.Status == finding.Closed && f.ClosedBy == version:
		a.Closed, a.Why = "yes", "No goroutine has leaked, while "+finding.Number(f.Missing)+" were to be expected at the old pace."
	case f.Status == finding.Open && f.LastVersion == version, f.FirstVersion == version:
		a.Closed, a.Why = "no", "The leak was seen in this version."
	case f.Status == finding.Waiting && isKnown:
		a.Closed, a.Why = "not_yet_certain", "The leak has not been seen in this version yet"
		if f.Certain > 0 {
			a.Why += "; certain in " + finding.Span(f.Certain) + " at the old pace"
		}
		a.Why += "."
	case f.Status == finding.Closed && isKnown && !isFirst:
		a.Why = "Version " + short(f.ClosedBy) + " closed the leak."
	case f.Status == finding.Open && isKnown:
		a.Closed, a.Why = "not_yet_certain", "The leak is still seen in version "+short(f.LastVersion)+", which is still running."
	}
	return a
}
