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

// leak is what a finding must tell of a leak of the service.
type leak struct {
	state, class string
	// waits is what the place of the finding is: file:line, or of a loop the entry's file.
	waits string
	// own is the line of the service because of which the goroutines are started. That of a
	// leak that a timer starts is empty.
	own string
	// waker is the line that wakes those that end, empty if none does.
	waker string
	// module is the dependency that they wait in.
	module string
	// entry is the function that the loop is started with.
	entry string
}

// repairedLeak is the one that the second version repairs.
const repairedLeak = "answer"

// leaks returns what is to be told, with the lines that are marked in the service's source.
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

// place returns where the goroutines wait, as event.place does.
func (l *leak) place() string {
	if l.entry != "" {
		return l.entry
	}
	return l.waits
}
