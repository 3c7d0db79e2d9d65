package leakdetect

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otel-goroutine/otel-goroutine/internal/detect"
	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// flaggedNames has the attributes of flagged groups. The detector does not keep attributes, since
// most groups are never flagged. If a verdict leaves with a batch that does not contain its group,
// it has the attributes that the group had before. A first flag waits for a batch with its group.
type flaggedNames struct {
	known   map[detect.ID]groupName
	pending map[detect.ID]detect.Verdict
}

// groupName has the attributes of a group and its resource.
type groupName struct {
	resource, group pcommon.Map
	metric          string
}

// maxPending is the maximum number of first flags that wait.
const maxPending = 1000

func newFlaggedNames() flaggedNames {
	return flaggedNames{known: make(map[detect.ID]groupName), pending: make(map[detect.ID]detect.Verdict)}
}

// forget removes a group and returns its name, which is empty if unknown.
func (n *flaggedNames) forget(group detect.ID) groupName {
	found := n.known[group]
	delete(n.known, group)
	delete(n.pending, group)
	if found.resource == (pcommon.Map{}) {
		found.resource, found.group = pcommon.NewMap(), pcommon.NewMap()
	}
	return found
}

// resolve converts verdicts to findings.
func (n *flaggedNames) resolve(verdicts []detect.Verdict, r *reader, md pmetric.Metrics) []finding {
	if len(verdicts) == 0 && len(n.pending) == 0 {
		return nil
	}
	refs := n.locate(verdicts, r.refs)
	var findings []finding
	for group, v := range n.pending {
		if refs[group] != nil {
			delete(n.pending, group)
			verdicts = append([]detect.Verdict{v}, verdicts...)
		}
	}
	for _, v := range verdicts {
		ref := refs[v.Group]
		name, isKnown := n.known[v.Group]
		index, inBatch := r.resources[v.Process]
		switch {
		case ref != nil && (!isKnown || v.Severity > v.Was && !v.Service):
			resource := md.ResourceMetrics().At(ref.resourceIndex).Resource().Attributes()
			if name = nameOf(resource, ref); v.Service {
				name = nameInService(resource, ref)
			}
			n.known[v.Group] = name
		case !isKnown && v.Severity > growth.None && len(n.pending) < maxPending:
			n.pending[v.Group] = v
			continue
		case !isKnown:
			continue // never flagged
		}
		if ref != nil {
			index, inBatch = ref.resourceIndex, true
		}
		if inBatch || v.Service {
			f := finding{Verdict: v, resourceIndex: index, attributes: name.group, metric: name.metric}
			if v.Service {
				f.service = name.resource
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// locate returns the references to the groups of verdicts and of pending flags. Groups that are not
// in the batch have nil.
func (n *flaggedNames) locate(verdicts []detect.Verdict, refs []groupRef) map[detect.ID]*groupRef {
	located := make(map[detect.ID]*groupRef, len(verdicts)+len(n.pending))
	for _, v := range verdicts {
		located[v.Group] = nil
	}
	for group := range n.pending {
		located[group] = nil
	}
	for i := range refs {
		ref := &refs[i]
		for _, id := range [...]detect.ID{ref.group, ref.serviceGroup} {
			if _, ok := located[id]; ok {
				located[id] = ref
			}
		}
	}
	return located
}

// nameInService copies the attributes that identify a group in its service out of a batch.
func nameInService(resource pcommon.Map, p *groupRef) groupName {
	service, _ := serviceOf(resource)
	name := groupName{resource: service, group: pcommon.NewMap()}
	for _, key := range findingAttributes {
		if v := valueOf(p.attributes, key); v != "" {
			name.group.PutStr(key, v)
		}
	}
	return name
}

// nameOf copies the attributes of a group out of a batch.
func nameOf(resource pcommon.Map, p *groupRef) groupName {
	name := groupName{resource: pcommon.NewMap(), group: pcommon.NewMap(), metric: p.metric}
	for _, key := range loggedResourceAttributes {
		if v := valueOf(resource, key); v != "" {
			name.resource.PutStr(key, v)
		}
	}
	p.attributes.CopyTo(name.group)
	if p.hasAge {
		for _, key := range ageKeys {
			name.group.Remove(key)
		}
	}
	return name
}
