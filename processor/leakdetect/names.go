package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// names are the attributes of groups that are flagged. The detector keeps none, as most
// groups are never flagged. A verdict may be about a group that is not in the batch with
// which it leaves: then it is written with the attributes that the group had before; and a
// first flag waits for a batch that has the group.
type names struct {
	known map[detect.ID]name
	owed  map[detect.ID]detect.Verdict
}

// name is whom a verdict is about.
type name struct {
	resource, group pcommon.Map
	metric          string
}

// maxOwed bounds how many first flags wait.
const maxOwed = 1000

func newNames() names {
	return names{known: make(map[detect.ID]name), owed: make(map[detect.ID]detect.Verdict)}
}

// drop forgets a group, and returns what it was called.
func (n *names) drop(group detect.ID) name {
	found := n.known[group]
	delete(n.known, group)
	delete(n.owed, group)
	if found.resource == (pcommon.Map{}) {
		found.resource, found.group = pcommon.NewMap(), pcommon.NewMap()
	}
	return found
}

// resolve makes findings of verdicts.
func (n *names) resolve(verdicts []detect.Verdict, r *reader, md pmetric.Metrics) []finding {
	if len(verdicts) == 0 && len(n.owed) == 0 {
		return nil
	}
	here := n.find(verdicts, r.places)
	var findings []finding
	for group, v := range n.owed {
		if here[group] != nil {
			delete(n.owed, group)
			verdicts = append([]detect.Verdict{v}, verdicts...)
		}
	}
	for _, v := range verdicts {
		place := here[v.Group]
		called, isKnown := n.known[v.Group]
		origin, hasOrigin := r.origins[v.Process]
		switch {
		case place != nil && (!isKnown || v.Severity > v.Was && !v.Service):
			resource := md.ResourceMetrics().At(place.origin).Resource().Attributes()
			if called = nameOf(resource, place); v.Service {
				called = nameInService(resource, place)
			}
			n.known[v.Group] = called
		case !isKnown && v.Severity > growth.None && len(n.owed) < maxOwed:
			n.owed[v.Group] = v
			continue
		case !isKnown:
			continue // nobody was told of it
		}
		if place != nil {
			origin, hasOrigin = place.origin, true
		}
		if hasOrigin || v.Service {
			f := finding{Verdict: v, origin: origin, attributes: called.group, metric: called.metric}
			if v.Service {
				f.service = called.resource
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// find returns where in a batch the groups are that are asked for.
func (n *names) find(verdicts []detect.Verdict, places []place) map[detect.ID]*place {
	wanted := make(map[detect.ID]*place, len(verdicts)+len(n.owed))
	for _, v := range verdicts {
		wanted[v.Group] = nil
	}
	for group := range n.owed {
		wanted[group] = nil
	}
	for i := range places {
		p := &places[i]
		for _, name := range [...]detect.ID{p.group, p.in} {
			if _, ok := wanted[name]; ok {
				wanted[name] = p
			}
		}
	}
	return wanted
}

// nameInService copies what a group is known by in its service out of a batch.
func nameInService(resource pcommon.Map, p *place) name {
	service, _ := serviceOf(resource)
	called := name{resource: service, group: pcommon.NewMap()}
	for _, key := range findingAttributes {
		if v := valueOf(p.attributes, key); v != "" {
			called.group.PutStr(key, v)
		}
	}
	return called
}

// nameOf copies the attributes of a group out of a batch.
func nameOf(resource pcommon.Map, p *place) name {
	called := name{resource: pcommon.NewMap(), group: pcommon.NewMap(), metric: p.metric}
	for _, key := range loggedOfResource {
		if v := valueOf(resource, key); v != "" {
			called.resource.PutStr(key, v)
		}
	}
	p.attributes.CopyTo(called.group)
	if p.hasAge {
		for _, key := range ageKeys {
			called.group.Remove(key)
		}
	}
	return called
}
