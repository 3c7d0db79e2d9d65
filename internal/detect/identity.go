package detect

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// findingVersion is part of each identity of a finding. It changes with the rules by which
// these are made.
const findingVersion = 1

// FindingID returns the identity that a leak has in a service: of the state, the blamed
// function and the entry of its group, not of the line, so that it survives a deploy.
func FindingID(service ID, kind Kind, state, function, entry string) ID {
	var h xxhash.Digest
	h.Reset()
	var head [10]byte
	binary.LittleEndian.PutUint64(head[:], uint64(service))
	head[8], head[9] = findingVersion, byte(kind)
	_, _ = h.Write(head[:]) // never fails, as all below
	for _, name := range [...]string{state, function, entry} {
		writeName(&h, name)
		_, _ = h.WriteString("\x00")
	}
	return ID(h.Sum64())
}

// writeName hashes a function's name without the numbers of closures, which change with the
// code around them: main.run.func2.1 is main.run.func, as main.run.func3 is.
func writeName(h *xxhash.Digest, name string) {
	for {
		begin, end := closureNumber(name)
		_, _ = h.WriteString(name[:begin])
		if name = name[end:]; name == "" {
			return
		}
	}
}

// closureNumber returns where the first number of a closure is in a name, its end twice if
// there is none.
func closureNumber(name string) (begin, end int) {
	begin = len(name)
	for _, word := range [...]string{".func", ".gowrap", ".deferwrap", "-range"} {
		if i := strings.Index(name, word); i >= 0 && i+len(word) < begin && isDigit(name[i+len(word)]) {
			begin = i + len(word)
		}
	}
	for end = begin; end < len(name); end++ {
		if !isDigit(name[end]) && (name[end] != '.' || end+1 == len(name) || !isDigit(name[end+1])) {
			break
		}
	}
	return begin, end
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// RankOf returns whose code a group is in, by the file of its blamed frame and its function.
func RankOf(file, function string) Rank {
	switch {
	case strings.Contains(file, "@v"), strings.Contains(file, "/vendor/"):
		return Module
	case isStandard(function):
		return Standard
	}
	return OwnCode
}

// isStandard tells whether a function is one of the standard library. The path of a package
// of a module begins with a domain, as a rule.
func isStandard(function string) bool {
	first, _, _ := strings.Cut(function, "/")
	if first == function {
		first, _, _ = strings.Cut(function, ".")
	}
	return slices.Contains(standard[:], first)
}

// standard are the folders of the standard library in which goroutines may wait.
var standard = [...]string{
	"bufio", "compress", "context", "crypto", "database", "encoding", "fmt", "html", "image", "internal", "io", "iter", "log", "mime",
	"net", "os", "runtime", "sync", "syscall", "testing", "text", "time", "vendor",
}
