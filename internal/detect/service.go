package detect

import (
	"cmp"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// All instances of a service leak alike, but the evidence of a single life may be too weak. So the
// groups that replicas and versions share are also judged together: their lives, including former
// ones, are added (growth.Life). The group of a service is a group like any other, of a process
// that stands for the service.
//
//   - It is flagged while the sum of its lives shows a leak, and for as long after that as package
//     growth holds a flag; and while any instance is flagged by itself, so that it has the same
//     severity however the leak was found.
//   - If the goroutines are gone and none has arrived for a while, as after a deploy that fixes the
//     leak, the flag ends.
//   - Its members are the groups of instances in which a goroutine has become aged.

// member is a group of an instance.
type member struct{ process, group ID }

func compareMembers(a, b member) int {
	return cmp.Or(cmp.Compare(a.process, b.process), cmp.Compare(a.group, b.group))
}

// serviceOf returns the process that stands for the service of p, or nil if it is unknown.
func (d *Detector) serviceOf(p *process, s *scrape) *process {
	for _, o := range s.groups {
		name := o.service
		if name == 0 || o.group.kind > Entry {
			continue
		}
		service := d.process(name)
		if instance := o.reading.Process; service != nil && p.service != name {
			p.service = name
			if !slices.Contains(service.instances, instance) {
				service.instances = append(service.instances, instance)
			}
		}
		return service
	}
	return nil
}

// follow advances the time of a service to that of a scrape of an instance, and reports whether the
// latter is accepted. One instance with a wrong clock must not stop the time of all. So a scrape
// that is ahead by more than slack and the time without data is accepted only if another instance
// agrees or there is none; and if all instances have been behind for duration, the time is set
// back.
func (p *process) follow(instance ID, at, clock, slack, duration int64, alone func() bool) bool {
	switch {
	case p.last == 0, at <= p.last && p.last-at <= duration:
	case at < p.last:
		if p.behind == 0 {
			p.behind = clock
		}
		if clock-p.behind <= duration && !alone() {
			return false
		}
		p.last = at
	case at-p.last > slack+max(0, clock-p.seen) && (p.rejectedFrom == 0 || p.rejectedFrom == instance || !isNear(p.rejected, at, duration)) && !alone():
		p.rejected, p.rejectedFrom = at, instance
		return false
	}
	p.last, p.seen, p.behind, p.rejected, p.rejectedFrom = max(p.last, at), clock, 0, 0, 0
	return true
}

// judgeService judges the groups of a service after a scrape of one of its instances.
func (d *Detector) judgeService(p *process, s *scrape, judged []judgement) {
	service := d.serviceOf(p, s)
	if service == nil {
		return
	}
	pools := d.joinAll(s, judged)
	var r *growth.Rules
	instance := ID(0)
	for _, o := range s.groups {
		if o.group.kind <= Entry {
			r, instance = o.reading.Rules, o.reading.Process
		}
	}
	duration := int64(r.MinDuration)
	alone := func() bool { return d.instancesOf(service, duration) <= 1 }
	if !service.follow(instance, s.at, d.clock, duration/sumsPerDuration, duration, alone) {
		return
	}
	for _, kind := range []Kind{Stack, Entry} {
		for _, o := range s.groups {
			if of := pools[o.group.service]; o.group.kind == kind && of != nil {
				d.judgeServiceGroup(p, service, o.group.service, r)
				if e := o.entryGroup; e != nil && kind == Stack && of.severity > growth.None {
					if entry := d.serviceGroupOf(e); entry != nil {
						entry.covered = service.last
					}
				}
				pools[o.group.service] = nil
			}
		}
	}
	for _, name := range slices.Clone(service.flagged) {
		if of, ok := pools[name]; !ok || of != nil {
			d.judgeServiceGroup(p, service, name, r)
		}
	}
	service.flagged = slices.DeleteFunc(service.flagged, func(name ID) bool {
		g := d.groups[name]
		return g == nil || g.flag == nil
	})
}

// joinAll makes groups members of their service groups, adds the former lives of the process, and
// returns the service groups.
func (d *Detector) joinAll(s *scrape, judged []judgement) map[ID]*group {
	pools := make(map[ID]*group)
	former := make(map[ID][]formerLife)
	for i, o := range s.groups {
		if o.group.kind > Entry {
			continue
		}
		of := d.join(o, judged[i].former)
		if of == nil {
			continue
		}
		if _, again := pools[o.group.service]; !again {
			of.asService.ignored = true
		}
		pools[o.group.service] = of
		of.asService.ignored = of.asService.ignored && o.reading.Ignored
		for _, f := range judged[i].former {
			former[o.group.service] = addLine(former[o.group.service], f)
		}
	}
	for name, lives := range former {
		for _, f := range lives {
			pools[name].asService.add(f)
		}
	}
	return pools
}

// join makes a group a member of its service group once a goroutine has become aged in it. It returns
// the service group, or nil.
func (d *Detector) join(o *observation, former []formerLife) *group {
	g := o.group
	g.ignored = o.reading.Ignored
	if d.serviceGroupOf(g) == nil {
		came := slices.ContainsFunc(former, func(f formerLife) bool { return f.life.Arrivals > 0 })
		if o.service == 0 || o.serviceGroup == 0 || g.arrived(o.reading.Rules) < 1 && g.severity == growth.None && !came {
			return nil
		}
		of := d.groups[o.serviceGroup]
		switch {
		case of == nil && d.room(len(d.groups)):
			of = &group{kind: g.kind, process: o.service, asService: &serviceGroup{begun: o.at, rose: o.at, pastAt: o.at}}
			d.groups[o.serviceGroup] = of
		case of == nil || of.asService == nil || of.kind != g.kind || of.process != o.service:
			return nil
		}
		g.service = o.serviceGroup
		m := member{g.process, o.name}
		if i, found := slices.BinarySearchFunc(of.asService.members, m, compareMembers); !found {
			of.asService.members = slices.Insert(of.asService.members, i, m)
		}
	}
	of := d.groups[g.service]
	of.seen = toSeconds(d.clock)
	return of
}

// leave adds the lives of a group that is removed to the past of its service group.
func (d *Detector) leave(name ID, g *group) {
	of := d.serviceGroupOf(g)
	if of == nil {
		return
	}
	i, found := slices.BinarySearchFunc(of.members, member{g.process, name}, compareMembers)
	if found {
		of.members = slices.Delete(of.members, i, i+1)
	}
	if of.rules == nil {
		return
	}
	// Another group of the same process counts for the life.
	line := i > 0 && of.members[i-1].process == g.process || i < len(of.members) && of.members[i].process == g.process
	for k := range g.levels {
		f := formerLife{g.levels[k].bound, g.lifeOf(&g.levels[k], of.rules)}
		if line {
			f.life.Lives, f.life.Watched = 0, 0
		}
		of.add(f)
	}
}

// instancesOf returns the number of instances of a service with data within duration.
func (d *Detector) instancesOf(service *process, duration int64) int {
	n := 0
	service.instances = slices.DeleteFunc(service.instances, func(name ID) bool {
		p := d.processes[name]
		if p != nil && d.clock-p.seen <= duration {
			n++
		}
		return p == nil
	})
	return n
}
