package profile

import (
	"bytes"
	"runtime/pprof"
	"sync"
	"testing"
)

// liveProfile returns a goroutine profile of this process with n additional goroutines, each
// with a distinct stack: sixteen frames, each of one of two functions, by the bits of the
// goroutine's number. As in services, there are far fewer places to wait at than paths to
// them.
func liveProfile(tb testing.TB, n int) []byte {
	tb.Helper()
	end := make(chan struct{})
	var ready, ended sync.WaitGroup
	for i := range n {
		ready.Add(1)
		ended.Add(1)
		go func() {
			defer ended.Done()
			walkLeft(i, 14, &ready, end)
		}()
	}
	ready.Wait()
	var b bytes.Buffer
	err := pprof.Lookup("goroutine").WriteTo(&b, 0)
	close(end)
	ended.Wait()
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

//go:noinline
func walkLeft(bits, depth int, ready *sync.WaitGroup, end chan struct{}) {
	if depth == 0 {
		ready.Done()
		<-end
		return
	}
	walk(bits, depth, ready, end)
}

//go:noinline
func walkRight(bits, depth int, ready *sync.WaitGroup, end chan struct{}) {
	if depth == 0 {
		ready.Done()
		<-end
		return
	}
	walk(bits, depth, ready, end)
}

func walk(bits, depth int, ready *sync.WaitGroup, end chan struct{}) {
	if bits&1 == 0 {
		walkLeft(bits>>1, depth-1, ready, end)
		return
	}
	walkRight(bits>>1, depth-1, ready, end)
}
