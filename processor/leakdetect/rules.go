package leakdetect

import (
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// rules are those that the groups of a process are judged by.
type rules struct {
	goroutine *growth.Rules
	memory    map[string]*growth.Rules // by metric
	// salt tells groups apart that are judged by segments of another length: what is
	// remembered with one min_duration is of no use with another.
	salt uint64
}

// ruleBook has the rules for all processes.
type ruleBook struct {
	general   *rules
	overrides []*overrideRules
}

type overrideRules struct {
	Override
	rules *rules
	used  atomic.Bool // some resource matched
}

func newRuleBook(c *Config) *ruleBook {
	b := &ruleBook{general: rulesFor(c)}
	for _, o := range c.Overrides {
		changed := *c
		if o.MinDuration > 0 {
			changed.MinDuration = o.MinDuration
		}
		if o.MinLeaked > 0 {
			changed.MinLeaked = o.MinLeaked
		}
		if o.MaxLifetime > 0 {
			changed.MaxLifetime = o.MaxLifetime
		}
		r := rulesFor(&changed)
		if changed.MinDuration != c.MinDuration {
			r.salt = salt("min_duration " + changed.MinDuration.String())
		}
		b.overrides = append(b.overrides, &overrideRules{Override: o, rules: r})
	}
	return b
}

func rulesFor(c *Config) *rules {
	goroutine := c.rules()
	r := &rules{goroutine: &goroutine, memory: make(map[string]*growth.Rules)}
	for _, m := range c.Memory {
		memory := c.memoryRules(m)
		r.memory[m.Metric] = &memory
	}
	return r
}

// of returns the rules for a resource: those of the first override that matches it.
func (b *ruleBook) of(resource pcommon.Map) *rules {
	for _, o := range b.overrides {
		if o.matches(resource) {
			o.used.Store(true)
			return o.rules
		}
	}
	return b.general
}

// matches tells whether a resource has the service's name and all attributes.
func (o *Override) matches(resource pcommon.Map) bool {
	if o.Service != "" && valueOf(resource, "service.name") != o.Service {
		return false
	}
	for key, value := range o.Attributes {
		if valueOf(resource, key) != value {
			return false
		}
	}
	return true
}

// unused returns the numbers of the overrides that no resource has matched.
func (b *ruleBook) unused() []int {
	var found []int
	for i, o := range b.overrides {
		if !o.used.Load() {
			found = append(found, i)
		}
	}
	return found
}
