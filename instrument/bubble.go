package instrument

import (
	"bytes"
	"runtime"
)

// inBubble reports whether the calling goroutine is in a testing/synctest bubble. Only the header of
// its stack tells:
//
//	goroutine 21 [running, synctest bubble 1]:
func inBubble() bool {
	var b [128]byte
	header, _, _ := bytes.Cut(b[:runtime.Stack(b[:], false)], []byte("\n"))
	return bytes.Contains(header, []byte(", synctest "))
}
