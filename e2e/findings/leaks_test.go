package findings

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// leak has the expected properties of the finding of a leak.
type leak struct {
	state, class string
	// waits is where the goroutines wait, as file:line; for a loop it is the file of the entry.
	waits string
	// own is the line of the service that starts the goroutines; empty if a timer starts them.
	own string
	// waker is the line that wakes the goroutines that exit, if any.
	waker string
	// module is the dependency in which the goroutines wait, if any.
	module string
	// entry is the entry function of a loop.
	entry string
}

// repairedLeak is the leak that the second version repairs.
const repairedLeak = "answer"

// leaks returns the expected leaks, with the lines that are marked in the source of the service.
func leaks(t *testing.T) map[string]*leak {
	t.Helper()
	const reply, lock = "reply_never_comes", "lock_held"
	all := map[string]*leak{
		repairedLeak: {state: "chan_send", class: "answer_not_taken"},
		"reply":      {state: "chan_receive", class: reply},
		"cancel":     {state: "select", class: "cancel_forgotten"},
		"mutex":      {state: "mutex", class: lock},
		"rwmutex":    {state: "rwmutex_read", class: lock},
		"waitgroup":  {state: "waitgroup", class: reply},
		"cond":       {state: "cond", class: reply},
		"loop":       {class: "loop_without_exit", entry: "main.poll"},
		"connection": {state: "io_wait", class: "not_closed"},
		"dependency": {
			state: "chan_send", class: "answer_not_taken", waits: "io_chan.go:29",
			module: "github.com/Shopify/toxiproxy/v2 v2.5.0",
		},
		"timer": {state: "chan_receive", class: reply},
	}
	files, err := filepath.Glob(filepath.Join("service", "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		readMarks(t, file, all)
	}
	return all
}

var mark = regexp.MustCompile(`// (own|waits|waker): (\w+)$`)

func readMarks(t *testing.T, file string, all map[string]*leak) {
	t.Helper()
	source, err := os.Open(file)
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	lines := bufio.NewScanner(source)
	for number := 1; lines.Scan(); number++ {
		found := mark.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		l, at := all[found[2]], path.Base(file)+":"+strconv.Itoa(number)
		require.NotNil(t, l, "a mark of %s in %s", found[2], file)
		switch found[1] {
		case "own":
			l.own = at
		case "waker":
			l.waker = at
		case "waits":
			if l.waits = at; l.entry != "" {
				l.waits, _, _ = strings.Cut(at, ":")
			}
		}
	}
	require.NoError(t, lines.Err())
}

// place returns the place of the leak in the form of event.place.
func (l *leak) place() string {
	if l.entry != "" {
		return l.entry
	}
	return l.waits
}
