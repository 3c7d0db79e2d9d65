package detect

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/otel-goroutine/otel-goroutine/internal/growth"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// UnmarshalBinary replaces the state of d by the output of AppendBinary. On error d is unchanged. Groups
// above MaxGroups are left out.
func (d *Detector) UnmarshalBinary(state []byte) error {
	body, err := d.checkState(state)
	if err != nil {
		return err
	}
	dec := decoder{rest: body}
	fresh := New(d.config)
	for n := dec.length(); n > 0 && dec.err == nil; n-- {
		dec.process(fresh)
	}
	for n := dec.length(); n > 0 && dec.err == nil; n-- {
		dec.group(fresh)
	}
	if dec.err != nil || len(dec.rest) > 0 {
		return ErrStateDamaged
	}
	fresh.linkMembers()
	*d = *fresh
	return nil
}

// linkMembers sets the instances of services and the members of service groups.
func (d *Detector) linkMembers() {
	for _, name := range sortedKeys(d.processes) {
		if service := d.processes[d.processes[name].service]; service != nil {
			service.instances = append(service.instances, name)
		}
	}
	for name, g := range d.groups {
		if of := d.groups[g.service]; of != nil && of.asService != nil {
			of.asService.members = append(of.asService.members, member{g.process, name})
		}
	}
	for _, g := range d.groups {
		if g.asService != nil {
			slices.SortFunc(g.asService.members, compareMembers)
		}
	}
}

// checkState validates the header and the checksum of a state, and returns what is between them.
func (d *Detector) checkState(state []byte) ([]byte, error) {
	header, ok := bytes.CutPrefix(state, []byte(stateMagic))
	if !ok {
		return nil, ErrNoState
	}
	dec := decoder{rest: header}
	var version, signatures uint16
	if dec.get(&version); dec.err == nil && version != stateVersion {
		return nil, fmt.Errorf("%w: got %d, want %d", ErrStateVersion, version, stateVersion)
	}
	if dec.get(&signatures); dec.err == nil && signatures != telemetry.SignatureVersion {
		return nil, fmt.Errorf("%w: got %d, want %d", ErrStateSignatures, signatures, telemetry.SignatureVersion)
	}
	var minDuration int64
	dec.get(&minDuration)
	end := len(dec.rest) - crc32.Size
	if dec.err != nil || end < 0 || !hasValidChecksum(state) {
		return nil, ErrStateDamaged
	}
	if minDuration != int64(d.config.MinDuration) {
		// The segments of floors have another length.
		return nil, ErrStateRules
	}
	return dec.rest[:end], nil
}

// hasValidChecksum reports whether the checksum at the end of a state is correct.
func hasValidChecksum(state []byte) bool {
	end := len(state) - crc32.Size
	return binary.LittleEndian.Uint32(state[end:]) == checksum(state[:end])
}

// decoder reads values until one fails.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) get(values ...any) {
	for _, value := range values {
		if d.err != nil {
			return
		}
		var n int
		n, d.err = binary.Decode(d.rest, binary.LittleEndian, value)
		d.rest = d.rest[n:]
	}
}

// length reads the number of elements that follow. It fails if there are more than bytes left.
func (d *decoder) length() int {
	var n uint32
	d.get(&n)
	if d.err == nil && int64(n) > int64(len(d.rest)) {
		d.err = ErrStateDamaged
	}
	if d.err != nil {
		return 0
	}
	return int(n)
}

func (d *decoder) process(into *Detector) {
	var name ID
	p := &process{}
	d.get(&name)
	d.get(p.parts()...)
	n := d.length()
	if d.err != nil || n*8 > len(d.rest) {
		d.err = ErrStateDamaged
		return
	}
	p.flagged = make([]ID, n)
	d.get(p.flagged)
	if d.err == nil && into.room(len(into.processes)) {
		into.processes[name] = p
	}
}

func (d *decoder) group(into *Detector) {
	var name ID
	g := &group{}
	d.get(&name)
	d.get(g.parts()...)
	var hasProof, hasJoint, hasFlag, hasPool, hasCounts bool
	d.get(&hasProof, &hasJoint, &hasFlag, &hasPool, &hasCounts)
	if hasProof {
		g.proof = &proof{}
		d.get(g.proof.parts()...)
	}
	if hasJoint {
		g.joint = &joint{}
		d.get(g.joint.parts()...)
	}
	if hasFlag {
		g.flag = &flag{}
		d.get(g.flag.parts()...)
	}
	if hasPool {
		g.asService = d.serviceGroup()
	}
	d.levels(g)
	if hasCounts {
		counts := d.level()
		g.counts = &counts
	}
	switch {
	case d.err != nil:
	case g.kind >= kindCount, g.severity > growth.Confirmed, g.severity > growth.None && g.flag == nil:
		d.err = ErrStateDamaged
	case into.room(len(into.groups)):
		into.groups[name] = g
	}
}

func (d *decoder) serviceGroup() *serviceGroup {
	p := &serviceGroup{}
	d.get(p.parts()...)
	for _, lives := range [...]*[]formerLife{&p.past, &p.older, &p.sums} {
		var n uint8
		if d.get(&n); d.err == nil && n > maxBands {
			d.err = ErrStateDamaged
		}
		for range n {
			var f formerLife
			d.get(&f.bound, &f.life)
			*lives = append(*lives, f)
		}
	}
	return p
}

func (d *decoder) levels(g *group) {
	var n uint8
	if d.get(&n); d.err != nil || n > maxBands {
		d.err = ErrStateDamaged
		return
	}
	for i := range n {
		l := d.level()
		if d.err != nil {
			return
		}
		if l.bound < 0 || i > 0 && l.bound <= g.levels[i-1].bound {
			d.err = ErrStateDamaged
			return
		}
		g.levels = append(g.levels, l)
	}
}

func (d *decoder) level() level {
	var l level
	var hasEvidence bool
	d.get(l.parts()...)
	d.get(&hasEvidence)
	if d.err != nil || !hasEvidence {
		return l
	}
	l.evidence = &growth.Evidence{}
	if d.err = l.evidence.UnmarshalBinary(d.rest); d.err == nil {
		d.rest = d.rest[growth.BinarySize():]
	}
	return l
}
