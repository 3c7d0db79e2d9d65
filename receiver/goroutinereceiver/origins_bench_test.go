//go:build unix

package goroutinereceiver

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The load of the traced server.
const (
	loadClients = 8
	loadFor     = time.Second
	loadRounds  = 10
	asServer    = "SERVE_FOR_THE_BENCHMARK"
)

// BenchmarkTracedServer loads a server in another process and compares seconds with and without a
// trace for origins, alternately. Each request starts a goroutine, so 5,000 per second is the most
// that a server may start and still be traced. Without a pause between requests the server is
// saturated.
func BenchmarkTracedServer(b *testing.B) {
	b.Run("5000-requests-a-second", func(b *testing.B) { compareTraced(b, loadClients*time.Second/5000) })
	b.Run("saturated", func(b *testing.B) { compareTraced(b, 0) })
}

// compareTraced sends a request of each client once per interval every, or without a pause if it is
// 0.
func compareTraced(b *testing.B, every time.Duration) {
	b.Helper()
	address := startServer(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadClients}}
	defer client.CloseIdleConnections()
	loadServer(b, client, address, every) // warm up
	var plain, traced loadSum
	size := 0
	for b.Loop() {
		for range loadRounds {
			plain.add(loadServer(b, client, address, every))
			var tracing sync.WaitGroup
			tracing.Go(func() { size += len(fetchFrom(b, client, address+"/debug/pprof/trace?seconds=1")) })
			traced.add(loadServer(b, client, address, every))
			tracing.Wait()
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, p := range []struct {
		share float64
		name  string
	}{{0.5, "p50"}, {0.99, "p99"}} {
		without := plain.quantile(p.share)
		b.ReportMetric(float64(traced.quantile(p.share))/float64(without), p.name+"-ratio")
		b.ReportMetric(float64(without.Microseconds()), p.name+"-µs-untraced")
	}
	b.ReportMetric(plain.cpuOfARequest().Seconds()*1e6, "CPU-µs/request-untraced")
	b.ReportMetric(float64(traced.cpuOfARequest())/float64(plain.cpuOfARequest()), "CPU-ratio")
	extra := (traced.cpuOfARequest() - plain.cpuOfARequest()) * time.Duration(len(traced.took))
	b.ReportMetric(float64(extra)/float64(size), "ns/byte")
	b.ReportMetric(float64(size)/float64(len(traced.took)), "bytes/request")
	b.ReportMetric(float64(len(traced.took))/(float64(b.N)*loadRounds*loadFor.Seconds()), "requests/s")
}

// loadSum sums up the time of requests.
type loadSum struct {
	took []time.Duration
	cpu  time.Duration // of the server
}

func (l *loadSum) add(o loadSum) {
	l.took, l.cpu = append(l.took, o.took...), l.cpu+o.cpu
}

func (l *loadSum) quantile(share float64) time.Duration {
	slices.Sort(l.took)
	return l.took[int(share*float64(len(l.took)-1))]
}

func (l *loadSum) cpuOfARequest() time.Duration { return l.cpu / time.Duration(len(l.took)) }

// loadServer sends requests of all clients for the duration loadFor.
func loadServer(b *testing.B, client *http.Client, address string, every time.Duration) loadSum {
	b.Helper()
	cpu := func() time.Duration {
		n, err := strconv.ParseInt(string(fetchFrom(b, client, address+"/cpu")), 10, 64)
		require.NoError(b, err)
		return time.Duration(n)
	}
	before, deadline := cpu(), time.Now().Add(loadFor)
	all := make([][]time.Duration, loadClients)
	var asking sync.WaitGroup
	for i := range loadClients {
		asking.Go(func() {
			due := time.Now().Add(every * time.Duration(i) / loadClients)
			for due.Before(deadline) {
				time.Sleep(time.Until(due))
				began := time.Now()
				fetchFrom(b, client, address+"/checkout")
				all[i] = append(all[i], time.Since(began))
				if due = due.Add(every); every == 0 {
					due = time.Now()
				}
			}
		})
	}
	asking.Wait()
	return loadSum{took: slices.Concat(all...), cpu: cpu() - before}
}

func fetchFrom(b *testing.B, client *http.Client, address string) []byte {
	b.Helper()
	response, err := client.Get("http://" + address)
	if err != nil {
		b.Error(err)
		return nil
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Error(err)
	}
	_ = response.Body.Close()
	return body
}

// startServer starts the test binary as a server and returns its address.
func startServer(b *testing.B) (address string) {
	b.Helper()
	ctx, end := context.WithCancel(context.Background())
	server := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestServeForTheBenchmark$")
	server.Env = append(os.Environ(), asServer+"=1")
	output, err := server.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, server.Start())
	b.Cleanup(func() {
		end()
		_ = server.Wait() // killed
	})
	line, _, err := bufio.NewReader(output).ReadLine()
	require.NoError(b, err)
	return string(line)
}

// TestServeForTheBenchmark is the server of BenchmarkTracedServer. Without it, it is skipped.
func TestServeForTheBenchmark(t *testing.T) {
	if os.Getenv(asServer) == "" {
		t.Skip("only for BenchmarkTracedServer")
	}
	mux := pprofMux()
	mux.HandleFunc("/checkout", func(w http.ResponseWriter, _ *http.Request) {
		answer := make(chan [sha256.Size]byte)
		go func() { answer <- sha256.Sum256(make([]byte, 16<<10)) }()
		sum := <-answer
		_, _ = io.WriteString(w, hex.EncodeToString(sum[:]))
	})
	mux.HandleFunc("/cpu", func(w http.ResponseWriter, _ *http.Request) {
		var used syscall.Rusage
		assert.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
		fmt.Fprint(w, used.Utime.Nano()+used.Stime.Nano())
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	fmt.Println(listener.Addr())
	server := http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	require.NoError(t, server.Serve(listener))
}
