package targetlist

// Shard is one of Count shards that divide targets among them. A Shard with Count 0 owns all.
type Shard struct{ Index, Count int }

// Owns reports whether the target with that ID belongs to the shard. Each target has a score
// with each shard, and belongs to that with the highest (rendezvous hashing): where a shard is
// added, only the targets that have the highest score with it move, one in Count+1.
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

// hash is FNV-1a. It must never change, since shards of different versions must agree.
func hash(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}

// score mixes target and shard by the finalizer of SplitMix64, in which each bit of the input
// changes half of the bits. FNV alone gives neighbors similar scores.
func score(target uint64, shard int) uint64 {
	x := target + (uint64(shard)+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
