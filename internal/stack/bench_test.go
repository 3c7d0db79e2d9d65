package stack

import "testing"

// BenchmarkRead reads typical stacks of services: a connection that waits for its next request,
// and a worker that waits for a channel.
func BenchmarkRead(b *testing.B) {
	for _, test := range []struct{ name, stack string }{
		{"standard", "runtime.gopark < runtime.netpollblock < internal/poll.runtime_pollWait < internal/poll.(*pollDesc).wait < internal/poll.(*pollDesc).waitRead < internal/poll.(*FD).Read < net.(*netFD).Read@3 < net.(*conn).Read < net/http.(*connReader).Read < bufio.(*Reader).fill < bufio.(*Reader).Peek < net/http.(*conn).serve < runtime.goexit"},
		{"ours", "runtime.gopark < runtime.selectgo < github.com/example/service/internal/worker.(*Pool).take@7 < github.com/example/service/internal/worker.(*Pool).run < github.com/example/service/internal/worker.New.func1 < runtime.goexit"},
	} {
		b.Run(test.name, func(b *testing.B) {
			frames := parse(test.stack)
			b.ReportAllocs()
			for b.Loop() {
				Read(frames, Unknown)
			}
		})
	}
}
