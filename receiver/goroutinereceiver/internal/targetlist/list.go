package targetlist

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of a list. A collector that scraped 250,000 targets would take 15 GiB, and with their
// labels they fit into 64 MiB. The YAML parser takes some 500 bytes for each node.
const (
	MaxSize     = 64 << 20
	MaxSizeYAML = 8 << 20
	MaxTargets  = 250_000

	maxItemsYAML = 500_000
)

// Errors of whole lists.
var (
	ErrTooLarge    = fmt.Errorf("the list is too large: it must have fewer than %d bytes", MaxSize)
	ErrTooMany     = fmt.Errorf("the list has more than %d targets", MaxTargets)
	errYAMLSize    = fmt.Errorf("the list is too large: in YAML it must have fewer than %d bytes, and fewer than %d lines and commas", MaxSizeYAML, maxItemsYAML)
	errNotList     = errors.New(`not a list of targets, such as [{"targets": ["10.0.0.5:6060"], "labels": {"job": "cart"}}]`)
	errMoreFollows = errors.New("something follows the list")
	errEmpty       = errors.New("empty; a list without targets is []")
	errNoneUsable  = errors.New("no target of the list can be used")
)

// List is a parsed list.
type List struct {
	Targets []Target
	// Problems counts what was left out because it is invalid. Problem is the first of these.
	Problems int
	Problem  error
}

// group is a group of targets with the same labels.
type group struct {
	Targets []string
	Labels  map[string]string
}

// Format parses a list. labels are defaults for the labels of its targets.
type Format func(text []byte, labels Labels) (List, error)

var _ = []Format{JSON, YAML, Lines}

// YAML reads a list as Prometheus' file_sd has it:
//
//   - targets: [10.0.0.5:6060, 10.0.0.6:6060]
//     labels: {job: cart}
func YAML(text []byte, labels Labels) (List, error) {
	if len(text) >= MaxSizeYAML || bytes.Count(text, []byte{'\n'})+bytes.Count(text, []byte{','}) >= maxItemsYAML {
		return List{}, errYAMLSize
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return List{}, errEmpty
	}
	var groups []group
	if err := yaml.Unmarshal(text, &groups); err != nil {
		return List{}, fmt.Errorf("%w: %.300s", errNotList, err.Error())
	}
	var list List
	for _, g := range groups {
		if err := list.add(g, labels); err != nil {
			return List{}, err
		}
	}
	return list.usable(nil)
}

// Lines reads addresses, one a line.
func Lines(text []byte, labels Labels) (List, error) {
	var list List
	err := list.add(group{Targets: strings.Fields(string(text))}, labels)
	if err != nil {
		return List{}, err
	}
	return list.usable(nil)
}

func (l *List) add(g group, labels Labels) error {
	if len(g.Targets) > MaxTargets-len(l.Targets) {
		return ErrTooMany
	}
	of := newResolver(Labels(g.Labels).over(labels), l.leaveOut)
	for _, address := range g.Targets {
		t, err := of.resolve(address)
		if err != nil {
			l.leaveOut(err)
			continue
		}
		l.Targets = append(l.Targets, t)
	}
	return nil
}

func (l *List) leaveOut(problem error) {
	if l.Problems++; l.Problem == nil {
		l.Problem = problem
	}
}

// usable returns the list, or an error if err is one or every target of the list is invalid.
func (l *List) usable(err error) (List, error) {
	if err == nil && len(l.Targets) == 0 && l.Problems > 0 {
		err = fmt.Errorf("%w: %w", errNoneUsable, l.Problem)
	}
	if err != nil {
		return List{}, err
	}
	return *l, nil
}
