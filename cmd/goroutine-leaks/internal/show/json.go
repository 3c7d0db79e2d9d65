package show

import (
	"encoding/json"
	"io"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// document is the JSON output. Later versions of the command only add fields.
type document struct {
	Version    int            `json:"version"`
	At         time.Time      `json:"at"`
	Watched    float64        `json:"watched_seconds"`
	Thresholds jsonThresholds `json:"thresholds"`
	Targets    []jsonTarget   `json:"targets"`
	Findings   []jsonFinding  `json:"findings"`
	Groups     []jsonGroup    `json:"groups"`
	Problems   []string       `json:"problems,omitempty"`
	Exclusions []Exclusion    `json:"exclusions,omitempty"`
}

type jsonThresholds struct {
	AgedAfter   float64 `json:"aged_after_seconds"`
	MinDuration float64 `json:"min_duration_seconds"`
	MaxLifetime float64 `json:"max_lifetime_seconds"`
	MinLeaked   int     `json:"min_leaked"`
}

type jsonTarget struct {
	Name       string        `json:"name"`
	Service    string        `json:"service"`
	Source     target.Source `json:"source,omitempty"`
	Goroutines int           `json:"goroutines"`
	Groups     int           `json:"groups"`
	Watched    float64       `json:"watched_seconds"`
	Restarts   int           `json:"restarts"`
	Lacks      string        `json:"lacks,omitempty"`
	Error      string        `json:"error,omitempty"`
}

type jsonFinding struct {
	ID        string          `json:"id"`
	Service   finding.Service `json:"service"`
	Severity  string          `json:"severity"`
	Evidence  string          `json:"evidence"`
	Certainty string          `json:"certainty"`
	Places    []finding.Place `json:"places"`
	Class     string          `json:"class,omitempty"`
	Page      string          `json:"page,omitempty"`
	Creators  []jsonOrigin    `json:"creators,omitempty"`
	Wakers    []jsonOrigin    `json:"wakers,omitempty"`
	Count     float64         `json:"count"`
	PerHour   float64         `json:"per_hour"`
	OlderThan float64         `json:"older_than_seconds,omitempty"`
	Exits     float64         `json:"exits"`
	Acquittal string          `json:"acquittal,omitempty"`
}

type jsonOrigin struct {
	Function string  `json:"function"`
	File     string  `json:"file,omitempty"`
	Line     int     `json:"line,omitempty"`
	Share    float64 `json:"share,omitempty"`
	Launch   string  `json:"launch,omitempty"`
	Call     string  `json:"call,omitempty"`
}

type jsonGroup struct {
	Target    string `json:"target"`
	Signature string `json:"signature"`
	finding.Place
	Count    int    `json:"count"`
	Grown    int    `json:"grown"`
	Aged     *int   `json:"aged,omitempty"`
	Exits    *int   `json:"exits,omitempty"`
	Severity string `json:"severity,omitempty"`
	Finding  string `json:"finding,omitempty"`
}

// JSON writes a report as JSON.
func JSON(to io.Writer, r *Report) error {
	d := document{
		Version: 1, At: r.At.UTC(), Watched: r.Watched().Seconds(), Thresholds: jsonThresholdsOf(r.Thresholds),
		Targets: []jsonTarget{}, Findings: []jsonFinding{}, Groups: []jsonGroup{}, Exclusions: r.Exclusions,
	}
	for _, t := range r.Targets {
		d.Targets = append(d.Targets, jsonTarget{
			Name: t.Name, Service: t.Service, Source: t.From, Goroutines: t.Count, Groups: t.Groups, Watched: t.Watched.Seconds(),
			Restarts: t.Restarts, Lacks: t.Lacks, Error: t.Error,
		})
	}
	for _, f := range openFindings(r.Findings) {
		d.Findings = append(d.Findings, jsonFinding{
			ID: f.ID, Service: f.Service, Severity: f.Severity.String(), Evidence: f.Evidence, Certainty: r.certainty(&f),
			Places: f.Places, Class: string(f.Class), Page: f.Page, Creators: jsonOrigins(f.Creators), Wakers: jsonOrigins(f.Wakers),
			Count: f.Count, PerHour: f.PerHour, OlderThan: f.Age.Seconds(), Exits: f.Exits, Acquittal: f.Acquittal,
		})
	}
	for _, row := range r.Rows {
		g := jsonGroup{Target: row.Target, Signature: row.Signature, Place: row.Place, Count: row.Count, Grown: row.Grown, Finding: row.ID}
		if row.Aged >= 0 {
			g.Aged, g.Exits = &row.Aged, &row.Exits
		}
		if row.Severity > 0 {
			g.Severity = row.Severity.String()
		}
		d.Groups = append(d.Groups, g)
	}
	for _, err := range r.Problems {
		d.Problems = append(d.Problems, err.Error())
	}
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func jsonThresholdsOf(t judge.Thresholds) jsonThresholds {
	return jsonThresholds{t.AgedAfter.Seconds(), t.MinDuration.Seconds(), t.MaxLifetime.Seconds(), t.MinLeaked}
}

func jsonOrigins(origins []finding.Origin) []jsonOrigin {
	var all []jsonOrigin
	for _, o := range origins {
		all = append(all, jsonOrigin{o.Function, o.File, o.Line, o.Share, o.Launch, o.Call})
	}
	return all
}
