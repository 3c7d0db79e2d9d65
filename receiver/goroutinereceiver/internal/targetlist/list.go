package targetlist

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of a list. A collector that scraped 250,000 targets would need 15 GiB; with their labels
// they fit into 64 MiB. The YAML parser needs some 500 bytes per node.
const (
	MaxSize     = 64 << 20
	MaxSizeYAML = 8 << 20
	MaxTargets  = 250_000

	maxItemsYAML = 500_000
)

// Errors for which a whole list is refused.
var (
	ErrTooLarge     = fmt.Errorf("the list is too large: it must have fewer than %d bytes", MaxSize)
	ErrTooMany      = fmt.Errorf("the list has more than %d targets", MaxTargets)
	errYAMLSize     = fmt.Errorf("the list is too large: in YAML it must have fewer than %d bytes, and fewer than %d lines and commas", MaxSizeYAML, maxItemsYAML)
	errNotList      = errors.New(`not a list of targets, such as [{"targets": ["10.0.0.5:6060"], "labels": {"job": "cart"}}]`)
	errTrailingData = errors.New("unexpected data after the list")
	errEmpty        = errors.New("empty; a list without targets is []")
	errAllInvalid   = errors.New("all targets of the list are invalid")
)

// List is a parsed list.
type List struct {
	Targets []Target
	// Problems counts the skipped invalid parts. Problem is the first of their errors.
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

// YAML parses a list in the format of Prometheus' file_sd:
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
	return list.result(nil)
}

// Lines parses addresses, one per line.
func Lines(text []byte, labels Labels) (List, error) {
	var list List
	err := list.add(group{Targets: strings.Fields(string(text))}, labels)
	if err != nil {
		return List{}, err
	}
	return list.result(nil)
}

func (l *List) add(g group, labels Labels) error {
	if len(g.Targets) > MaxTargets-len(l.Targets) {
		return ErrTooMany
	}
	resolver := newResolver(Labels(g.Labels).withDefaults(labels), l.skip)
	for _, address := range g.Targets {
		t, err := resolver.resolve(address)
		if err != nil {
			l.skip(err)
			continue
		}
		l.Targets = append(l.Targets, t)
	}
	return nil
}

func (l *List) skip(problem error) {
	if l.Problems++; l.Problem == nil {
		l.Problem = problem
	}
}

// result returns the list. If err is not nil or all targets of the list are invalid, it returns an
// error.
func (l *List) result(err error) (List, error) {
	if err == nil && len(l.Targets) == 0 && l.Problems > 0 {
		err = fmt.Errorf("%w: %w", errAllInvalid, l.Problem)
	}
	if err != nil {
		return List{}, err
	}
	return *l, nil
}
