package targetlist

// Shard is one of Count shards of all targets. If Count is 0, it owns all.
type Shard struct{ Index, Count int }

// Owns reports whether the shard owns the target with this ID. A target belongs to the shard with
// which it has the highest score (rendezvous hashing): if a shard is added, only one target in
// Count+1 moves.
func (s Shard) Owns(id string) bool {
	if s.Count <= 1 {
		return true
	}
	target := hash(id)
	mine := score(target, s.Index)
	for other := range s.Count {
		if theirs := score(target, other); theirs > mine || theirs == mine && other < s.Index {
			return false
		}
	}
	return true
}

// hash is FNV-1a. It must not change, since shards of different versions must agree.
func hash(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}

// score mixes target and shard with the finalizer of SplitMix64, in which each input bit changes
// half of the output bits. FNV alone gives similar scores to similar targets.
func score(target uint64, shard int) uint64 {
	x := target + (uint64(shard)+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
