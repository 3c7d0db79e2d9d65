package profile

import (
	"bytes"
	"runtime/pprof"
	"sync"
	"testing"
)

// liveProfile is a goroutine profile of this process while it has n goroutines
// more, each with a stack of its own: sixteen frames, of which each is one of two
// functions, by the bits of its number. As in services, there are far fewer
// places to wait at than ways to get there.
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
