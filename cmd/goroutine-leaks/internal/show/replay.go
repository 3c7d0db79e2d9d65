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

// maxSkew is the clock skew above which there is a note.
const maxSkew = time.Minute

// ReplaySummary summarizes a replay in a sentence.
func ReplaySummary(r *replay.Result) string {
	flagged := make(map[string]bool)
	for _, c := range r.Changes {
		flagged[c.Finding.ID] = true
	}
	found := "nothing would have been flagged"
	if len(flagged) > 0 {
		found = plural(len(flagged), "leak") + " would have been flagged"
	}
	return fmt.Sprintf("From %s to %s UTC, %s of %s: %s.", r.From.UTC().Format(time.DateTime), r.To.UTC().Format(time.DateTime),
		plural(r.Series, "series"), plural(r.Processes, "process"), found)
}

// replayNotes describe the limits of a replay.
func replayNotes(r *replay.Result) []string {
	var notes []string
	if r.Skew > maxSkew || r.Skew < -maxSkew {
		direction := "ahead of"
		if r.Skew < 0 {
			direction = "behind"
		}
		notes = append(notes, fmt.Sprintf("The server's clock is %s %s the local one. Times are the server's.", judge.FormatDuration(r.Skew.Abs()), direction))
	}
	if r.PlainOnly {
		notes = append(notes, "The data has only goroutine counts, without lines and ages. With the default thresholds, a leak is suspected after about 19 hours. "+
			"The goroutine receiver and package instrument record lines and ages.")
	}
	return notes
}

// Replay writes a replay as text.
func Replay(to io.Writer, r *replay.Result, exclusions []Exclusion) error {
	var b strings.Builder
	for _, c := range r.Ordered() {
		fmt.Fprintf(&b, "%s  %s: %s\n", c.At.UTC().Format(time.DateTime), c.Finding.Service.Name, c.Text)
	}
	t := r.Thresholds
	fmt.Fprintln(&b, ReplaySummary(r))
	fmt.Fprintf(&b, "Thresholds: min_duration %s, min_leaked %d, max_lifetime %s.\n", t.MinDuration, t.MinLeaked, t.MaxLifetime)
	for _, e := range exclusions {
		fmt.Fprintln(&b, e)
	}
	for _, note := range replayNotes(r) {
		fmt.Fprintln(&b, note)
	}
	_, err := io.WriteString(to, b.String())
	return err
}

// ReplayJSON writes a replay as JSON.
func ReplayJSON(to io.Writer, r *replay.Result, exclusions []Exclusion) error {
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
		Version    int         `json:"version"`
		From       time.Time   `json:"from"`
		To         time.Time   `json:"to"`
		Series     int         `json:"series"`
		Processes  int         `json:"processes"`
		Samples    int         `json:"samples"`
		Changes    []change    `json:"changes"`
		Notes      []string    `json:"notes,omitempty"`
		Exclusions []Exclusion `json:"exclusions,omitempty"`
	}{1, r.From.UTC(), r.To.UTC(), r.Series, r.Processes, r.Samples, []change{}, replayNotes(r), exclusions}
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
