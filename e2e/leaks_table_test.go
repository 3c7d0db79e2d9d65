package e2e

import (
	"bufio"
	"go/build"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const leaksModule = "github.com/otel-goroutine/otel-goroutine/examples/leaks/"

// leak is one group of goroutines that leak in examples/leaks.
type leak struct {
	// pattern is the folder of the example.
	pattern string
	// state is the state in which its goroutines wait.
	state string
	// function is the blamed function, without the path of the package unless at is set.
	function string
	// mark follows "// leaks here" in leaky.go, if there are two such lines.
	mark string
	// at is the blamed line, if it is in the standard library.
	at *standardLine
	// provable means that the runtime's leak profile contains them, since nothing that is alive
	// references what they wait for.
	provable bool
}

// leaks returns all leaks of examples/leaks.
func leaks() []leak {
	return []leak{
		{pattern: "loopwithoutexit", state: "sleep", function: "pollLeaky"},
		{pattern: "sendwithoutreceiver", state: "chan_send", function: "askLeaky", provable: true},
		{pattern: "receivewithoutsender", state: "chan_receive", function: "AskLeaky", provable: true},
		{pattern: "rangeneverclosed", state: "chan_receive", function: "storeLeaky", provable: true},
		{pattern: "selectwithoutdone", state: "select", function: "showLeaky", provable: true},
		{pattern: "forgottencancel", state: "select", function: "trackLeaky"},
		{pattern: "timeoutleavesworker", state: "chan_send", function: "quoteLeaky", provable: true},
		{
			pattern: "bodynotclosed", state: "select", function: "net/http.(*persistConn).readLoop",
			at: &standardLine{"net/http/transport.go", "case bodyEOF := <-waitForBodyRead:"},
		},
		{
			pattern: "bodynotclosed", state: "select", function: "net/http.(*persistConn).writeLoop",
			at: &standardLine{"net/http/transport.go", "case wr := <-pc.writech:"},
		},
		{pattern: "heldconnection", state: "io_wait", function: "GreetingLeaky"},
		{pattern: "heldfile", state: "syscall", function: "StampLeaky"},
		{pattern: "unboundedhandler", state: "chan_send", function: "(*MailerLeaky).enqueueLeaky"},
		{pattern: "dbpool", state: "select", function: "NameLeaky"},
		{pattern: "workerpoolnotstopped", state: "select", function: "(*poolLeaky).workLeaky", provable: true},
		{pattern: "mutexneverunlocked", state: "mutex", function: "(*EncoderLeaky).Encode"},
		{pattern: "waitgroupmiscounted", state: "waitgroup", function: "HealthyLeaky", provable: true},
		{pattern: "condneversignalled", state: "cond", function: "(*mailboxLeaky).take", provable: true},
		{pattern: "nilchannel", state: "chan_receive", function: "(*ServerLeaky).followLeaky", provable: true},
		{pattern: "tickernotstopped", state: "chan_receive", function: "beatLeaky"},
		{pattern: "rwmutexupgrade", state: "rwmutex_read", function: "(*CacheLeaky).Get", mark: ": later calls"},
		{pattern: "rwmutexupgrade", state: "rwmutex_write", function: "(*CacheLeaky).keep", mark: ": first call", provable: true},
		{pattern: "selectnocases", state: "select_no_cases", function: "listenLeaky", provable: true},
		{pattern: "pullnotstopped", state: "coroutine", function: "wordsLeaky.all"},
		{pattern: "sharedconnection", state: "semaphore", function: "TellLeaky"},
	}
}

// standardLine is a select statement in the standard library, identified by its first case.
type standardLine struct{ file, firstCase string }

// place returns where the goroutines wait, as the detector reports it.
func (l leak) place(t *testing.T) place {
	t.Helper()
	if l.at != nil {
		path := filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(l.at.file))
		return place{l.state, l.function, l.at.file, lineOf(t, path, l.at.firstCase) - 1}
	}
	file := "examples/leaks/" + l.pattern + "/leaky.go"
	line := lineOf(t, filepath.Join("..", filepath.FromSlash(file)), "// leaks here"+l.mark)
	return place{l.state, leaksModule + l.pattern + "." + l.function, file, line}
}

// lineOf returns the number of the only line of a file that ends with the text.
func lineOf(t *testing.T, path, end string) int64 {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var found []int64
	lines := bufio.NewScanner(file)
	for number := int64(1); lines.Scan(); number++ {
		if strings.HasSuffix(lines.Text(), end) {
			found = append(found, number)
		}
	}
	require.NoError(t, lines.Err())
	require.Len(t, found, 1, "%s: lines that end with %q", path, end)
	return found[0]
}
