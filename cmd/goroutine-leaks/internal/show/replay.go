package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/replay"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// maxSkew is by how much two clocks may differ that are kept.
const maxSkew = time.Minute

// ReplaySummary tells in a sentence what would have been flagged.
func ReplaySummary(r *replay.Result) string {
	flagged := make(map[string]bool)
	for _, c := range r.Changes {
		flagged[c.Finding.ID] = true
	}
	found := "nothing would have been flagged"
	if len(flagged) > 0 {
		found = count(len(flagged), "leak") + " would have been flagged"
	}
	return fmt.Sprintf("From %s to %s UTC, %s of %s: %s.", r.From.UTC().Format(time.DateTime), r.To.UTC().Format(time.DateTime),
		count(r.Series, "series"), processes(r.Processes), found)
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}

// replayNotes tell what limits a replay.
func replayNotes(r *replay.Result) []string {
	var notes []string
	if r.Skew > maxSkew || r.Skew < -maxSkew {
		ahead := "ahead of"
		if r.Skew < 0 {
			ahead = "behind"
		}
		notes = append(notes, fmt.Sprintf("The clock of the server is %s %s this one. Times are the server's.", judge.Span(r.Skew.Abs()), ahead))
	}
	if r.PlainOnly {
		notes = append(notes, "There are only numbers of goroutines here, no groups and no ages: a leak is suspected after some 19 hours at the defaults, "+
			"and nobody can say where it is. The receiver, or instrument, tells more.")
	}
	return notes
}

// Replay writes what would have been flagged, for a person.
func Replay(to io.Writer, r *replay.Result) error {
	var b strings.Builder
	for _, c := range r.Ordered() {
		fmt.Fprintf(&b, "%s  %s: %s\n", c.At.UTC().Format(time.DateTime), c.Finding.Service.Name, c.Text)
	}
	t := r.Thresholds
	fmt.Fprintln(&b, ReplaySummary(r))
	fmt.Fprintf(&b, "Judged as the processor does with min_duration %s, min_leaked %d and max_lifetime %s.\n", t.MinDuration, t.MinLeaked, t.MaxLifetime)
	for _, note := range replayNotes(r) {
		fmt.Fprintln(&b, note)
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// ReplayJSON writes the same for programs.
func ReplayJSON(to io.Writer, r *replay.Result) error {
	type change struct {
		At       time.Time       `json:"at"`
		Change   string          `json:"change"`
		ID       string          `json:"id"`
		Service  finding.Service `json:"service"`
		Severity string          `json:"severity"`
		Was      string          `json:"was"`
		Place    finding.Place   `json:"place"`
		Text     string          `json:"text"`
	}
	document := struct {
		Version   int       `json:"version"`
		From      time.Time `json:"from"`
		To        time.Time `json:"to"`
		Series    int       `json:"series"`
		Processes int       `json:"processes"`
		Samples   int       `json:"samples"`
		Changes   []change  `json:"changes"`
		Notes     []string  `json:"notes,omitempty"`
	}{1, r.From.UTC(), r.To.UTC(), r.Series, r.Processes, r.Samples, []change{}, replayNotes(r)}
	for _, c := range r.Ordered() {
		document.Changes = append(document.Changes, change{
			c.At.UTC(), string(c.Kind), c.Finding.ID, c.Finding.Service, c.Finding.Severity.String(), c.Was.String(), c.Finding.Head, c.Text,
		})
	}
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(document)
}
