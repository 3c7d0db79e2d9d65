package leakdetect

import (
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// rules are the rules for the groups of a process.
type rules struct {
	goroutine *growth.Rules
	memory    map[string]*growth.Rules // by metric
	// salt is part of the IDs of groups. It differs between values of min_duration, since the
	// history of a group is valid for one min_duration only.
	salt uint64
}

// ruleBook are the rules for all processes.
type ruleBook struct {
	general   *rules
	overrides []*overrideRules
}

type overrideRules struct {
	Override
	rules *rules
	used  atomic.Bool // a resource has matched
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
			r.salt = saltOf("min_duration " + changed.MinDuration.String())
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

// forResource returns the rules of the first override that matches a resource, or the general
// rules.
func (b *ruleBook) forResource(resource pcommon.Map) *rules {
	for _, o := range b.overrides {
		if o.matches(resource) {
			o.used.Store(true)
			return o.rules
		}
	}
	return b.general
}

// matches reports whether a resource has the service name and all attributes.
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

// unused returns the indices of the overrides that no resource has matched.
func (b *ruleBook) unused() []int {
	var found []int
	for i, o := range b.overrides {
		if !o.used.Load() {
			found = append(found, i)
		}
	}
	return found
}
