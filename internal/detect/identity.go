package detect

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// findingVersion is part of the identity of findings. Increment it if FindingID changes.
const findingVersion = 1

// FindingID returns the identity of a leak in a service: a hash of the state, the blamed function and
// the entry of its group, without the line, so that it survives a deploy.
func FindingID(service ID, kind Kind, state, function, entry string) ID {
	var h xxhash.Digest
	h.Reset()
	var head [10]byte
	binary.LittleEndian.PutUint64(head[:], uint64(service))
	head[8], head[9] = findingVersion, byte(kind)
	_, _ = h.Write(head[:]) // never fails
	for _, name := range [...]string{state, function, entry} {
		writeName(&h, name)
		_, _ = h.WriteString("\x00")
	}
	return ID(h.Sum64())
}

// writeName hashes a function's name without the numbers of closures, which change with the code
// around them: both main.run.func2.1 and main.run.func3 become main.run.func.
func writeName(h *xxhash.Digest, name string) {
	for {
		begin, end := findClosureNumber(name)
		_, _ = h.WriteString(name[:begin])
		if name = name[end:]; name == "" {
			return
		}
	}
}

// findClosureNumber returns the range of the first closure number in a name. If there is none, both
// are len(name).
func findClosureNumber(name string) (begin, end int) {
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

// RankOf returns the rank of a group by the file and the function of its blamed frame.
func RankOf(file, function string) Rank {
	switch {
	case strings.Contains(file, "@v"), strings.Contains(file, "/vendor/"):
		return Module
	case isStandard(function):
		return Standard
	}
	return OwnCode
}

// isStandard reports whether a function is in the standard library. Other import paths usually begin
// with a domain.
func isStandard(function string) bool {
	first, _, _ := strings.Cut(function, "/")
	if first == function {
		first, _, _ = strings.Cut(function, ".")
	}
	return slices.Contains(standardFolders[:], first)
}

// standardFolders are the folders of the standard library in which goroutines may wait.
var standardFolders = [...]string{
	"bufio", "compress", "context", "crypto", "database", "encoding", "fmt", "html", "image", "internal", "io", "iter", "log", "mime",
	"net", "os", "runtime", "sync", "syscall", "testing", "text", "time", "vendor",
}
