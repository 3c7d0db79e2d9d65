package profile

import (
	"testing"
)

// FuzzDecode wants of any input that it is decoded as the peer decodes it or is
// refused, and that neither takes more memory than it may. Coverage differs from
// run to run, by what the pool has, so minimizing should be kept short:
//
//	go test -fuzz FuzzDecode -fuzzminimizetime 20x ./internal/profile
func FuzzDecode(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add(data)
		f.Add(gunzip(f, data))
	}
	f.Add(gzipped(f, service(3)))
	parts := small()
	f.Add([]byte(message{}.then(parts...)))
	f.Add([]byte(message{}.then(parts[8]).then(parts[:8]...)))
	f.Add([]byte(after(aLocation(1<<40, aLine(1, 1)).then(aSample(1, 1<<40)))))
	f.Add([]byte("go 1.26 trace\x00\x00\x00"))
	f.Add([]byte("goroutine profile: total 1\n"))
	// The peer takes 150 times the size of its input: it is spared large ones.
	const maxSize = 64 << 10
	f.Fuzz(func(t *testing.T, data []byte) {
		agree(t, data, maxSize)
		var err error
		if n := spent(func() { _, err = Decode(data, maxSize) }); n > mostToAccept*maxSize+always {
			t.Errorf("%d bytes take %d bytes of memory", len(data), n)
		}
		if err != nil {
			checkError(t, err)
		}
	})
}
