package dump

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const counts = "goroutine profile: total 6\n" +
	"3 @ 0x43e6ce 0x4a9c51\n" +
	"# labels: {\"user\":\"secret\"}\n" +
	"#\t0x4a9c50\tmain.wait+0x30\t\t/src/main.go:12\n" +
	"#\t0x4a9c60\tmain.(*pool).work+0x4\t/src/pool.go:40\n" +
	"\n" +
	"2 @ 0x43e6ce 0x4a9c51\n" +
	"#\t0x4a9c50\tmain.wait+0x30\t\t/src/main.go:12\n" +
	"#\t0x4a9c60\tmain.(*pool).work+0x4\t/src/pool.go:40\n" +
	"\n" +
	"1 @ 0x1\n" +
	"#\t0x4a9c70\tnet/http.(*persistConn).readLoop+0x1\t/go/src/net/http/transport.go:2450\n"

const goroutines = `goroutine 1 [running]:
main.main()
	/src/main.go:5 +0x1f

goroutine 18 [chan receive (nil chan), 5 minutes, locked to thread]:
main.(*pool).wait(0xc000012345, {0x1, 0x2})
	/src/main.go:12 +0x31
created by main.main in goroutine 1
	/src/main.go:8 +0x20

goroutine 19 gp=0xc000002fc0 m=nil [select]:
main.wait(...)
	/src/main.go:20
main.serve({0xc0000, 0x2})
	/src/main.go:30 +0x31
created by main.main in goroutine 1
	/src/main.go:9 +0x20

goroutine 20 [sync.Mutex.Lock]:
sync.(*Mutex).Lock(...)
	/go/src/sync/mutex.go:46
main.save()
	/src/main.go:44 +0x1
...additional frames elided...
created by main.main in goroutine 1
	/src/main.go:9 +0x20
`

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name, text string
		format     Format
		want       []string
	}{
		{"debug=1", counts, Counts, []string{
			"1  net/http.(*persistConn).readLoop:2450 by net/http.(*persistConn).readLoop",
			"5  main.wait:12 by main.(*pool).work",
		}},
		{"debug=1 with CRLF", strings.ReplaceAll(counts, "\n", "\r\n"), Counts, []string{
			"1  net/http.(*persistConn).readLoop:2450 by net/http.(*persistConn).readLoop",
			"5  main.wait:12 by main.(*pool).work",
		}},
		{"debug=2", goroutines, Goroutines, []string{
			"1 chan_receive main.(*pool).wait:12 by main.(*pool).wait",
			"1 mutex main.save:44 by ",
			"1 running main.main:0 by main.main",
			"1 select main.wait:20 by main.serve",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if d.Format != test.format || d.Skipped != 0 {
				t.Errorf("format %q with %d records skipped", d.Format, d.Skipped)
			}
			if diff := cmp.Diff(test.want, describe(d)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func describe(d *Dump) []string {
	var all []string
	for _, g := range d.Snapshot.Groups {
		all = append(all, fmt.Sprintf("%d %s %s:%d by %s", g.Count, g.State, g.Blamed.Function, g.Blamed.Line, g.Entry))
	}
	slices.Sort(all)
	return all
}

// TestParseThisProcess parses the dumps of the test process and finds a waiting goroutine in them.
func TestParseThisProcess(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		close(entered)
		waitHere(release)
	}()
	<-entered
	defer func() {
		close(release)
		<-ended
	}()
	for debug, format := range map[int]Format{1: Counts, 2: Goroutines} {
		var text bytes.Buffer
		// The goroutine may not wait yet.
		found := false
		for !found {
			text.Reset()
			if err := pprof.Lookup("goroutine").WriteTo(&text, debug); err != nil {
				t.Fatal(err)
			}
			d, err := Parse(text.Bytes())
			if err != nil || d.Format != format || d.Skipped != 0 {
				t.Fatalf("%v, %d records skipped, %v", d.Format, d.Skipped, err)
			}
			for _, g := range d.Snapshot.Groups {
				found = found || strings.HasSuffix(g.Blamed.Function, "dump.waitHere") && strings.Contains(g.Entry, "TestParseThisProcess")
			}
		}
	}
}

//go:noinline
func waitHere(release chan struct{}) { <-release }

func TestNotDump(t *testing.T) {
	for _, text := range []string{
		"", "\n\n", "<html>", "goroutine profile: total many", "goroutine one [running]:", "heap profile: 1: 2 [3: 4] @ heap/1",
		strings.Repeat("x", 5000),
	} {
		if IsDump([]byte(text)) {
			t.Errorf("%.20q is recognized as a dump", text)
		}
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrNotDump) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// TestMalformedRecords checks that malformed records do not affect the others.
func TestMalformedRecords(t *testing.T) {
	d, err := Parse([]byte("goroutine profile: total 3\nmany @ 0x1\n#\t0x1\tmain.a+0x1\t/a.go:1\n\n-1 @ 0x1\n\n99999999999999 @ 0x1\n\n2 @ 0x1\n#\tshort\n#\t0x1\tmain.b+0x1\t/b.go\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d.Skipped != 3 {
		t.Errorf("%d records skipped, want 3", d.Skipped)
	}
	if diff := cmp.Diff([]string{"2  main.b:0 by main.b"}, describe(d)); diff != "" {
		t.Error(diff)
	}
	if _, err := Parse([]byte("goroutine 1 [running]:\n" + strings.Repeat("x", maxLine+1))); !errors.Is(err, ErrNotDump) {
		t.Errorf("a line of 1 MiB: %v", err)
	}
}

// TestHostileNames checks that names are truncated and cleaned.
func TestHostileNames(t *testing.T) {
	d, err := Parse([]byte("goroutine 1 [select]:\nmain." + strings.Repeat("x", 100_000) + "\x1b[31m()\n\t/a\x07.go:99999999999999999999 +0x1\n"))
	if err != nil {
		t.Fatal(err)
	}
	g := d.Snapshot.Groups[0]
	if n := len(g.Blamed.Function); n > 1024 || strings.ContainsAny(g.Blamed.Function+g.Blamed.File, "\x1b\x07") || g.Blamed.Line != 0 {
		t.Errorf("%d bytes, %q, line %d", n, g.Blamed.File, g.Blamed.Line)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(counts))
	f.Add([]byte(goroutines))
	for _, name := range []string{"debug1.txt", "debug2.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if IsDump(text) != (err == nil) && len(text) < maxLine {
			t.Fatalf("IsDump is %v, Parse returns %v", IsDump(text), err)
		}
		if err != nil {
			return
		}
		for _, g := range d.Snapshot.Groups {
			if g.Count <= 0 || g.Blamed.Line < 0 || len(g.Blamed.Function) > 1024 {
				t.Fatalf("%+v", g)
			}
		}
		if d.Lacks() == "" {
			t.Fatal("Lacks is empty")
		}
	})
}
