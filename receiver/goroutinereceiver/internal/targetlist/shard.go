package targetlist

// Shard is one of several that share targets out among them. Of Count 0 it is the only one.
type Shard struct{ Index, Count int }

// Owns tells whether the target of that identity belongs to the shard. Each target has a score
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

// hash is FNV-1a. It must stay as it is: shards of different versions share targets out alike.
func hash(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}

// score mixes target and shard by the finalizer of SplitMix64, in which each bit of the input
// changes half of the bits. FNV alone would have neighbours score alike.
func score(target uint64, shard int) uint64 {
	x := target + (uint64(shard)+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
