package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/judge"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/show"
	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/watch"
	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// watchLive watches, and redraws a table on the terminal after each look.
func watchLive(ctx context.Context, watcher *watch.Watcher, o watch.Options, out streams) (state watch.State, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	program := tea.NewProgram(&screen{options: o, stop: stop, width: out.width}, tea.WithInput(os.Stdin), tea.WithOutput(out.terminal), tea.WithoutSignalHandler())
	done := make(chan struct{})
	go func() {
		defer close(done)
		state, err = watcher.Run(ctx, func(s watch.State) { program.Send(s) })
		program.Quit()
	}()
	_, screenErr := program.Run()
	stop()
	<-done
	return state, errors.Join(err, screenErr)
}

// screen is the model of the live table.
type screen struct {
	options       watch.Options
	stop          context.CancelFunc
	width, height int
	state         *watch.State
}

func (s *screen) Init() tea.Cmd { return nil }

func (s *screen) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch m := message.(type) {
	case watch.State:
		s.state = &m
	case tea.WindowSizeMsg:
		s.width, s.height = m.Width, m.Height
	case tea.KeyPressMsg:
		switch m.String() {
		case "q", "esc", "ctrl+c":
			s.stop()
		}
	}
	return s, nil
}

// The colors are among the sixteen of every terminal, which its user can configure.
var (
	titleStyle = lipgloss.NewStyle().Bold(true)
	faintStyle = lipgloss.NewStyle().Faint(true)
	styles     = map[finding.Severity]lipgloss.Style{
		finding.Suspected: lipgloss.NewStyle().Foreground(lipgloss.Yellow),
		finding.Probable:  lipgloss.NewStyle().Foreground(lipgloss.Red),
		finding.Confirmed: lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true),
	}
)

func (s *screen) View() tea.View {
	if s.state == nil {
		return tea.NewView("Connecting...\n")
	}
	return tea.NewView(strings.Join(s.lines(), "\n") + "\n")
}

// lines returns at most as many lines as the terminal has.
func (s *screen) lines() []string {
	var above []string
	for _, t := range s.state.Targets {
		if t.Error != "" {
			above = append(above, s.wrap(fmt.Sprintf("%s: %s; retrying", t.Name, t.Error))...)
			continue
		}
		above = append(above, titleStyle.Render(s.cut(fmt.Sprintf("%s: %d goroutines in %d groups, %s", t.Name, t.Count, t.Groups, show.SourceText(t)))))
	}
	left := max(s.options.For-s.state.Watched(), 0).Round(time.Second)
	above = append(above, faintStyle.Render(s.cut(judge.FormatDuration(left)+" left; press q to finish now")))
	var below []string
	for i := range s.state.Findings {
		f := &s.state.Findings[i]
		if f.Status == finding.Open {
			below = append(below, styles[f.Severity].Render(s.cut(f.Severity.String()+": "+f.Evidence)))
			below = append(below, s.wrap("  "+show.Certainty(f, s.state.Thresholds, s.state.At))...)
		}
	}
	room := s.height - len(above) - 3
	if s.height == 0 {
		room = 20
	}
	below = below[:min(len(below), max(room-4, 0))]
	return append(append(append(above, ""), s.table(max(room-len(below)-1, 1))...), append([]string{""}, below...)...)
}

// table returns the first rows, which are the worst.
func (s *screen) table(rows int) []string {
	shown := s.state.Rows[:min(rows, len(s.state.Rows))]
	lines := show.Table(shown, len(s.state.Targets) > 1, s.width)
	for i := range lines {
		switch {
		case i == 0:
			lines[i] = titleStyle.Render(lines[i])
		case shown[i-1].Severity > 0:
			lines[i] = styles[shown[i-1].Severity].Render(lines[i])
		}
	}
	return lines
}

func (s *screen) cut(text string) string { return show.Cut(text, s.width) }

func (s *screen) wrap(text string) []string {
	if s.width == 0 {
		return []string{text}
	}
	return strings.Split(lipgloss.Wrap(text, s.width, " "), "\n")
}
