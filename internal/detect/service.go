package detect

import (
	"cmp"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
)

// Instances of a service leak alike, and what one of them shows in its life may be too
// little. So the groups that replicas and versions have in common are judged together as
// well: their lives are added up (package growth says what of them), those that are over
// too. A group of a service is remembered as any other is, as one of a process that
// stands for the service.
//
//   - It is flagged while its lives together show a leak, and for as long after as package
//     growth believes a flag; and while any instance is flagged by itself, so that it has
//     one severity however the leak was found.
//   - If the goroutines are gone and none has come for a while, as after a deploy that
//     repairs the leak, the flag ends.
//   - It has members from the first goroutine on that gets old in an instance, and then
//     those instances in which that happened.

// member is a group of an instance.
type member struct{ process, group ID }

func compareMembers(a, b member) int {
	return cmp.Or(cmp.Compare(a.process, b.process), cmp.Compare(a.group, b.group))
}

// serviceOf returns what stands for the service of which a process is an instance, nil if
// that is not known.
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

// follow moves the time of a service on to that of a scrape of an instance, and tells whether
// that is to be believed. One instance whose clock is wrong must not stop the time of all. So
// a scrape that is ahead by more than slack and the time for which nothing came is believed
// when another instance agrees, or there is none; and when nobody has been on time for
// duration the time is set back.
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
	case at-p.last > slack+max(0, clock-p.seen) && (p.jumpedBy == 0 || p.jumpedBy == instance || !near(p.jumped, at, duration)) && !alone():
		p.jumped, p.jumpedBy = at, instance
		return false
	}
	p.last, p.seen, p.behind, p.jumped, p.jumpedBy = max(p.last, at), clock, 0, 0, 0
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
	if !service.follow(instance, s.at, d.clock, duration/looksPerDuration, duration, alone) {
		return
	}
	for _, kind := range []Kind{Stack, Entry} {
		for _, o := range s.groups {
			if of := pools[o.group.service]; o.group.kind == kind && of != nil {
				d.judgePool(p, service, o.group.service, r)
				if e := d.entryOf(o); e != nil && kind == Stack && of.severity > growth.None {
					if entry := d.poolOf(e); entry != nil {
						entry.covered = service.last
					}
				}
				pools[o.group.service] = nil
			}
		}
	}
	for _, name := range slices.Clone(service.flagged) {
		if of, ok := pools[name]; !ok || of != nil {
			d.judgePool(p, service, name, r)
		}
	}
	service.flagged = slices.DeleteFunc(service.flagged, func(name ID) bool {
		g := d.groups[name]
		return g == nil || g.flag == nil
	})
}

// joinAll makes groups members of those of their service, and returns the latter. What former
// lives of the process have shown is added.
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
			of.pool.ignored = true
		}
		pools[o.group.service] = of
		of.pool.ignored = of.pool.ignored && o.reading.Ignored
		for _, f := range judged[i].former {
			former[o.group.service] = addLine(former[o.group.service], f)
		}
	}
	for name, lives := range former {
		for _, f := range lives {
			pools[name].pool.add(f)
		}
	}
	return pools
}

// join makes a group a member of that of its service once anybody has got old in it, and
// returns the latter; nil if it is none.
func (d *Detector) join(o *observation, former []formerLife) *group {
	g := o.group
	g.ignored = o.reading.Ignored
	if d.poolOf(g) == nil {
		came := slices.ContainsFunc(former, func(f formerLife) bool { return f.life.Arrivals > 0 })
		if o.service == 0 || o.in == 0 || g.came(o.reading.Rules) < 1 && g.severity == growth.None && !came {
			return nil
		}
		of := d.groups[o.in]
		switch {
		case of == nil && d.room(len(d.groups)):
			of = &group{kind: g.kind, process: o.service, pool: &pool{begun: o.at, rose: o.at, pastAt: o.at}}
			d.groups[o.in] = of
		case of == nil || of.pool == nil || of.kind != g.kind || of.process != o.service:
			return nil
		}
		g.service = o.in
		m := member{g.process, o.name}
		if i, found := slices.BinarySearchFunc(of.pool.members, m, compareMembers); !found {
			of.pool.members = slices.Insert(of.pool.members, i, m)
		}
	}
	of := d.groups[g.service]
	of.seen = inSeconds(d.clock)
	return of
}

// leave adds what a group that is forgotten has shown to the past of its service.
func (d *Detector) leave(name ID, g *group) {
	of := d.poolOf(g)
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
	// Another line of the same process has the life.
	line := i > 0 && of.members[i-1].process == g.process || i < len(of.members) && of.members[i].process == g.process
	for k := range g.levels {
		f := formerLife{g.levels[k].bound, g.lifeOf(&g.levels[k], of.rules)}
		if line {
			f.life.Lives, f.life.Watched = 0, 0
		}
		of.add(f)
	}
}

// instancesOf returns of how many instances of a service something has come within
// duration.
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
