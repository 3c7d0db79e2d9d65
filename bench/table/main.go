// Command table combines the results of the benchmarks at scale: as a table in Markdown, which the README quotes, in
// JSON, and as a plot of the growth of costs.
//
//	go run ./table   # the last step of make scale-bench
//
// A test fails if they do not agree with the results.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/result"
)

func main() {
	if err := write(".."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// The results and the files made from them, relative to the root of the project.
const (
	resultsFolder = "bench/results"
	jsonFile      = resultsFolder + "/all.json"
	markdownFile  = resultsFolder + "/README.md"
	drawingFile   = "docs/growth.svg"
	readmeFile    = "README.md"
	scalingFile   = "docs/scaling.md"
)

// fleets returns the sizes of the fleets in docs/scaling.md, in processes.
func fleets() []int { return []int{100, 10_000, 1_000_000} }

// write writes all files that are made from the results.
func write(root string) error {
	files, err := render(root)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// part has the results of one benchmark.
type part struct {
	Name string `json:"name"`
	result.Results
}

// render returns the files that are made from the results, by name.
func render(root string) (map[string][]byte, error) {
	parts, err := read(filepath.Join(root, resultsFolder))
	if err != nil {
		return nil, err
	}
	all, err := json.MarshalIndent(parts, "", "  ")
	if err != nil {
		return nil, err
	}
	detecting, err := find(parts, "detecting")
	if err != nil {
		return nil, err
	}
	scraping, err := find(parts, "scraping")
	if err != nil {
		return nil, err
	}
	c, err := costs(detecting, scraping)
	if err != nil {
		return nil, err
	}
	readme, err := quoteIn(root, readmeFile, table(parts))
	if err != nil {
		return nil, err
	}
	scaling, err := quoteIn(root, scalingFile, sizing(c, fleets()))
	if err != nil {
		return nil, err
	}
	var drawing bytes.Buffer
	if err := draw(&drawing, parts); err != nil {
		return nil, err
	}
	return map[string][]byte{
		jsonFile:     append(all, '\n'),
		markdownFile: []byte(page(parts)),
		drawingFile:  drawing.Bytes(),
		readmeFile:   []byte(readme),
		scalingFile:  []byte(scaling),
	}, nil
}

func read(folder string) ([]part, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if name == strings.TrimSuffix(filepath.Base(jsonFile), ".json") {
			continue
		}
		r, err := result.Read(file)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{name, r})
	}
	return parts, nil
}

// find returns the results of a benchmark.
func find(parts []part, name string) (result.Results, error) {
	i := slices.IndexFunc(parts, func(p part) bool { return p.Name == name })
	if i < 0 {
		return result.Results{}, fmt.Errorf("no %s.json in %s", name, resultsFolder)
	}
	return parts[i].Results, nil
}

// Marks of the table in other pages.
const (
	quoteBegin = "<!-- written by make scale-bench -->\n"
	quoteEnd   = "<!-- end of what is written -->"
)

func quoteIn(root, file, table string) (string, error) {
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return "", err
	}
	quoted, err := quote(string(content), table)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return quoted, nil
}

func quote(content, table string) (string, error) {
	before, rest, found := strings.Cut(content, quoteBegin)
	_, after, ended := strings.Cut(rest, quoteEnd)
	if !found || !ended {
		return "", fmt.Errorf("no %q followed by %q", strings.TrimSpace(quoteBegin), quoteEnd)
	}
	return before + quoteBegin + table + quoteEnd + after, nil
}

// table returns the results in Markdown.
func table(parts []part) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "| %s | | peer | ratio |\n|---|---|---|---|\n", p.Name)
		for _, r := range p.Rows {
			peer, ratio := "", ""
			if r.Peer != 0 {
				peer, ratio = quantity(r.Peer, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Name, quantity(r.Value, r.Unit), peer, ratio)
		}
	}
	return b.String()
}

// quantity returns a value with its unit, to three digits.
func quantity(value float64, unit string) string {
	text := fmt.Sprintf("%.3g", value)
	if value >= 1000 {
		text = fmt.Sprintf("%.0f", value)
	}
	return strings.TrimSpace(text + " " + plural(unit, value))
}

// plural returns the plural of a unit that is a word.
func plural(unit string, value float64) string {
	if words := []string{"byte", "core", "file", "scrape", "stream", "target"}; value != 1 && slices.Contains(words, unit) {
		return unit + "s"
	}
	return unit
}

// page returns the page of the results.
func page(parts []part) string {
	var b strings.Builder
	b.WriteString("# What it costs at scale\n\nDetecting was measured by `make scale-bench` in 5 minutes, scraping by `make scrape-bench` in 20.\n\n")
	b.WriteString(table(parts))
	b.WriteString("\n![How the cost grows with the number of what is watched](../../docs/growth.svg)\n\n")
	for _, p := range parts {
		fmt.Fprintf(&b, "Of %s: %s; %s.\n", p.Name, p.Machine, versions(p.Versions))
	}
	return b.String()
}

func versions(of map[string]string) string {
	var all []string
	for name, version := range of {
		if name == "go" {
			all = append(all, version)
			continue
		}
		all = append(all, "`"+name[strings.LastIndexByte(name, '/')+1:]+"` "+version)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
