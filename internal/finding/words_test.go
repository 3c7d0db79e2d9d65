package finding

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func TestPlace(t *testing.T) {
	for _, test := range []struct {
		name  string
		place Place
		want  string
		owner owner
	}{
		{"own code", order, "at order.go:88", ownCode},
		{"no file", Place{State: "select", Function: "main.run"}, "in main.run", ownCode},
		{"no line", Place{Function: "main.run", File: "/src/main.go"}, "in main.run (main.go)", ownCode},
		{"entry", Place{Entry: "main.poll", EntryFile: "/src/poll.go"}, "started with main.poll (poll.go)", ownCode},
		{"entry alone", Place{Entry: "main.poll"}, "started with main.poll", ownCode},
		{"all goroutines", Place{}, "of the whole process", ownCode},
		{"state alone", Place{State: "select"}, "at an unknown place", ownCode},
		{
			"dependency",
			Place{Function: "github.com/Big/y.Run", File: "/go/pkg/mod/github.com/!big/y@v1.2.3/sub/z.go", Line: 7},
			"at z.go:7 in github.com/Big/y v1.2.3", moduleCode,
		},
		{
			"trimmed",
			Place{Function: "github.com/x/y/v2.Run", File: "github.com/x/y/v2@v2.0.1-rc.1/z.go", Line: 7},
			"at z.go:7 in github.com/x/y/v2 v2.0.1-rc.1", moduleCode,
		},
		{
			"other module cache",
			Place{Function: "github.com/x/y.Run", File: "/cache/mod/github.com/x/y@v1.2.3/z.go", Line: 7},
			"at z.go:7 in github.com/x/y v1.2.3", moduleCode,
		},
		{"vendored", Place{Function: "github.com/x/y.Run", File: "/src/vendor/github.com/x/y/z.go", Line: 7}, "at z.go:7", moduleCode},
		{"standard", Place{Function: "net/http.(*conn).serve", File: "/usr/lib/go/src/net/http/server.go", Line: 7}, "at server.go:7", standardCode},
		{"standard, no folder", Place{Function: "time.Sleep", File: "/usr/lib/go/src/time/sleep.go", Line: 7}, "at sleep.go:7", standardCode},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.place.String(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if got := test.place.owner(); got != test.owner {
				t.Errorf("owner %v, want %v", got, test.owner)
			}
		})
	}
}

func TestHead(t *testing.T) {
	r := newRecord("id")
	for _, p := range []Place{
		{Entry: "aa.poll", EntryFile: "/src/poll.go"},
		{Function: "net.read", File: "/go/src/net/net.go", Line: 3},
		{Function: "github.com/a/b.f", File: "/go/pkg/mod/github.com/a/b@v1.0.0/f.go", Line: 3},
		{Function: "shop.zz", File: "/src/shop/zz.go", Line: 3},
		{Function: "shop.zz"},
	} {
		r.Places[p.key()] = p
	}
	all := r.places()
	if len(all) != 4 || all[0].Function != "shop.zz" || all[3].Entry != "aa.poll" {
		t.Error(all)
	}
}

func TestNumbers(t *testing.T) {
	for want, n := range map[string]float64{
		"0": 0, "0.2": 0.2, "1": 1, "1.3": 1.26, "9.9": 9.9, "10": 10, "91": 91.2, "999": 999, "1,000": 1000, "1,234,567": 1234567,
	} {
		if got := number(n); got != want {
			t.Errorf("%v is %q, want %q", n, got, want)
		}
	}
	for want, d := range map[string]time.Duration{
		"0 ms": -time.Second, "3 ms": 3 * time.Millisecond, "40 s": 40 * time.Second, "40 min": 40 * time.Minute, "1 h 20 min": 80 * time.Minute,
		"5 h 20 min": 320 * time.Minute, "10 h": 640 * time.Minute, "2 d 3 h": 51 * time.Hour, "30 d": 720 * time.Hour, "2 min": 2*time.Minute + 5*time.Second,
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// TestClasses checks that every state has a class and an existing page.
func TestClasses(t *testing.T) {
	want := map[stack.State]mistake.Class{
		stack.StateChanSend: mistake.AnswerNotTaken, stack.StateChanReceive: mistake.ReplyNeverComes, stack.StateSelect: mistake.CancelForgotten,
		stack.StateSelectNoCases: mistake.LoopWithoutExit, stack.StateMutex: mistake.LockHeld, stack.StateRWMutexRead: mistake.LockHeld,
		stack.StateRWMutexWrite: mistake.LockHeld, stack.StateWaitGroup: mistake.ReplyNeverComes, stack.StateCond: mistake.ReplyNeverComes,
		stack.StateSemaphore: mistake.NotClosed, stack.StateSleep: mistake.LoopWithoutExit, stack.StateIOWait: mistake.NotClosed, stack.StateSyscall: mistake.NotClosed,
		stack.StateCoroutine: mistake.NotClosed, stack.StateRunning: mistake.LoopWithoutExit, stack.StateOther: mistake.Unknown,
	}
	for state, class := range want {
		p := Place{State: string(state), Function: "main.f"}
		if got := classOf(p, nil); got != class {
			t.Errorf("%s is %q, want %q", state, got, class)
		}
		if class != mistake.Unknown && class.String() == "" {
			t.Errorf("%s has no words", class)
		}
		page := pageOf(string(state))
		if !strings.HasSuffix(page, "/"+string(state)+".md") {
			t.Errorf("%s has the page %s", state, page)
		}
		if _, err := os.Stat(filepath.Join("..", "..", page)); err != nil {
			t.Error(err)
		}
	}
	for _, test := range []struct {
		place  Place
		wakers []Origin
		want   mistake.Class
	}{
		{Place{Entry: "main.poll"}, nil, mistake.LoopWithoutExit},
		{Place{}, nil, mistake.Unknown},
		{Place{State: "chan_receive", Function: "main.f"}, []Origin{{Function: "main.stop", Call: "context.WithCancel.func1"}}, mistake.CancelForgotten},
		{Place{State: "chan_receive", Function: "main.f"}, []Origin{{Function: "main.reply"}}, mistake.ReplyNeverComes},
		{Place{State: "select", Function: "net/http.(*persistConn).readLoop"}, nil, mistake.NotClosed},
		{Place{State: "select", Function: "database/sql.(*DB).conn"}, nil, mistake.NotClosed},
	} {
		if got := classOf(test.place, test.wakers); got != test.want {
			t.Errorf("%v is %q, want %q", test.place, got, test.want)
		}
	}
	for page, state := range map[string]string{"docs/leaks/sleep.md": "", "docs/leaks/README.md": "<script>"} {
		if got := pageOf(state); got != page {
			t.Errorf("%q has the page %s", state, got)
		}
	}
}

func TestVersionNames(t *testing.T) {
	s := newService(Service{}, &Config{})
	for _, b := range []build{
		{ID: "0123456789abcdef"},
		{ID: "1123456789abcdef", Revision: "fedcba98765432100"},
		{ID: "2123456789abcdef", Version: "1.8.2"},
		{ID: "3123456789abcdef", Version: "dev"},
		{ID: "4123456789abcdef", Version: "dev"},
		{Revision: "5123456789abcdef", Version: "next"},
		{Revision: "6123456789abcdef", Version: "next"},
		{Version: "1.9.0"},
	} {
		s.versionOf(b, epoch, epoch)
	}
	want := []string{
		"", "01234567", "fedcba987654", "1.8.2", "dev (build 31234567)", "dev (build 41234567)",
		"next (revision 5123456789ab)", "next (revision 6123456789ab)", "1.9.0", "",
	}
	for number, name := range want {
		if got := s.versionName(number); got != name {
			t.Errorf("version %d is %q, want %q", number, got, name)
		}
	}
	// A build of which more becomes known is the same version.
	if got := s.versionOf(build{ID: "9", Version: "1.9.0"}, epoch, epoch); got != 8 {
		t.Error(got)
	}
	if got := s.versionOf(build{}, epoch, epoch); got != 0 {
		t.Error(got)
	}
	for n := range 1000 {
		s.versionOf(build{ID: string(rune('一' + n))}, epoch, epoch.Add(time.Duration(n)))
	}
	if len(s.Versions) != maxVersions || s.LastVersion != 1008 {
		t.Error(len(s.Versions), s.LastVersion)
	}
}

func TestNames(t *testing.T) {
	b := NewTracker(Config{})
	for _, name := range []string{
		"goroutine.leak.severity", "goroutine_leak_severity", "goroutine_leak_growth_rate_per_hour", "goroutine.leak.growth_rate_per_hour",
		"goroutine_leak_growth_rate", "goroutine_leak_ended_total", "go_memory_used_bytes",
	} {
		if !b.Reads(name) {
			t.Error(name)
		}
	}
	for _, name := range []string{"", "goroutine.stack.count", "goroutine_leak", "goroutine_leak_severity_total"} {
		if b.Reads(name) {
			t.Error(name)
		}
	}
	for dirty, want := range map[string]string{
		"a\nb\x00c\u2028d": "a b c d", "\xff\xfea": "a", "<b>&": "<b>&", "ä": "ä", strings.Repeat("é", 400): strings.Repeat("é", 256),
	} {
		if got := clean(dirty); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
