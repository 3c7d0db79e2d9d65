package origins

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/internal/mistake"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// expected has the expected origin of a leak.
type expected struct {
	state stack.State
	// function and file are the ends of the blamed function and its file.
	function, file string
	// own has the lines of the service that start the goroutines, as file:line with the end of the path;
	// empty if a timer starts them.
	own []string
	// waker is the line that wakes the goroutines that exit, if any.
	waker string
	class mistake.Class
	// near has other classes that are acceptable.
	near []mistake.Class
}

// example is a leak of examples/leaks with its expected origin.
type example struct {
	state           stack.State
	pattern         string
	function        string
	start           string // text of the line that starts the goroutines
	waker           string // text of the line in repaired.go that wakes the goroutines of the repair
	startIn         string // file with start, if not leaky.go
	class           mistake.Class
	near            []mistake.Class
	blamedIsLibrary bool
}

// call is the line that starts each call of examples/leaks, for leaks of the goroutine of the call itself.
const call, callFile = "go callLeaky(ctx, p)", "traffic.go"

// examples returns the leaks of examples/leaks with their expected origins. If another class is as helpful, it
// is near.
func examples() []example {
	const (
		answer, reply, cancel = mistake.AnswerNotTaken, mistake.ReplyNeverComes, mistake.CancelForgotten
		lock, loop, open      = mistake.LockHeld, mistake.LoopWithoutExit, mistake.NotClosed
	)
	return []example{
		{state: stack.StateSleep, pattern: "loopwithoutexit", function: ".pollLeaky", start: "go pollLeaky(", class: loop},
		{state: stack.StateChanSend, pattern: "sendwithoutreceiver", function: ".askLeaky", start: "go askLeaky(", class: answer},
		{state: stack.StateChanReceive, pattern: "receivewithoutsender", function: ".AskLeaky", start: call, startIn: callFile, class: reply},
		{state: stack.StateChanReceive, pattern: "rangeneverclosed", function: ".storeLeaky", start: "go storeLeaky(", class: reply},
		{
			state: stack.StateSelect, pattern: "selectwithoutdone", function: ".showLeaky", start: "go showLeaky(",
			class: loop, near: []mistake.Class{cancel},
		},
		{state: stack.StateSelect, pattern: "forgottencancel", function: ".trackLeaky", start: "go trackLeaky(", class: cancel},
		{state: stack.StateChanSend, pattern: "timeoutleavesworker", function: ".quoteLeaky", start: "go quoteLeaky(", class: answer},
		{
			state: stack.StateSelect, pattern: "bodynotclosed", function: "net/http.(*persistConn).readLoop", start: "client.Get(url)",
			waker: "defer func() { _ = resp.Body.Close() }()", class: open, blamedIsLibrary: true,
		},
		{
			state: stack.StateSelect, pattern: "bodynotclosed", function: "net/http.(*persistConn).writeLoop", start: "client.Get(url)",
			class: open, blamedIsLibrary: true,
		},
		{state: stack.StateIOWait, pattern: "heldconnection", function: ".GreetingLeaky", start: call, startIn: callFile, class: open},
		{
			state: stack.StateSyscall, pattern: "heldfile", function: ".StampLeaky", start: call, startIn: callFile,
			class: lock, near: []mistake.Class{open},
		},
		{
			state: stack.StateChanSend, pattern: "unboundedhandler", function: ".(*MailerLeaky).enqueueLeaky", start: "go m.enqueueLeaky(",
			class: "", near: []mistake.Class{answer}, // an unlimited number of starts, which a trace does not show
		},
		{state: stack.StateSelect, pattern: "dbpool", function: ".NameLeaky", start: call, startIn: callFile, class: open},
		{state: stack.StateSelect, pattern: "workerpoolnotstopped", function: ".(*poolLeaky).workLeaky", start: "go p.workLeaky()", class: cancel},
		{state: stack.StateMutex, pattern: "mutexneverunlocked", function: ".(*EncoderLeaky).Encode", start: call, startIn: callFile, class: lock},
		{state: stack.StateRWMutexRead, pattern: "rwmutexupgrade", function: ".(*CacheLeaky).Get", start: call, startIn: callFile, class: lock},
		{state: stack.StateRWMutexWrite, pattern: "rwmutexupgrade", function: ".(*CacheLeaky).keep", start: call, startIn: callFile, class: lock},
		{state: stack.StateWaitGroup, pattern: "waitgroupmiscounted", function: ".HealthyLeaky", start: call, startIn: callFile, class: reply},
		{state: stack.StateCond, pattern: "condneversignalled", function: ".(*mailboxLeaky).take", start: "go m.readLeaky(", class: reply},
		{state: stack.StateChanReceive, pattern: "nilchannel", function: ".(*ServerLeaky).followLeaky", start: "go s.followLeaky()", class: reply},
		{state: stack.StateChanReceive, pattern: "tickernotstopped", function: ".beatLeaky", start: "go beatLeaky(", class: loop},
		{state: stack.StateSelectNoCases, pattern: "selectnocases", function: ".listenLeaky", start: "go listenLeaky(", class: loop, near: []mistake.Class{cancel}},
		{state: stack.StateCoroutine, pattern: "pullnotstopped", function: ".wordsLeaky.all", start: "iter.Pull(wordsLeaky(", class: open},
		{
			state: stack.StateSemaphore, pattern: "sharedconnection", function: ".TellLeaky", start: call, startIn: callFile,
			class: open, near: []mistake.Class{lock},
		},
	}
}

// expectedOfExamples returns the expected origins of examples/leaks.
func expectedOfExamples(t *testing.T) []expected {
	t.Helper()
	folder := filepath.Join("..", "..", "examples", "leaks")
	var all []expected
	for _, m := range examples() {
		e := expected{state: m.state, function: m.function, file: m.pattern + "/leaky.go", class: m.class, near: m.near}
		if m.blamedIsLibrary {
			e.file = ""
		}
		start := m.pattern + "/leaky.go"
		if m.startIn != "" {
			start = m.startIn
		}
		e.own = linesWith(t, folder, start, m.start)
		if m.waker != "" {
			e.waker = linesWith(t, folder, m.pattern+"/repaired.go", m.waker)[0]
		}
		all = append(all, e)
	}
	return all
}

// linesWith returns the lines of a file that contain text, as file:line.
func linesWith(t *testing.T, folder, file, text string) []string {
	t.Helper()
	var found []string
	for number, line := range lines(t, filepath.Join(folder, filepath.FromSlash(file))) {
		if strings.Contains(line, text) {
			found = append(found, "/"+file+":"+strconv.Itoa(number+1))
		}
	}
	require.NotEmpty(t, found, "%s: %s", file, text)
	return found
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var all []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		all = append(all, scanner.Text())
	}
	require.NoError(t, scanner.Err())
	return all
}

// classes has the leaks of the service beside this file, by the function in which the goroutines wait.
var classes = map[string]struct {
	state stack.State
	class mistake.Class
}{
	"price":            {stack.StateChanSend, mistake.AnswerNotTaken},
	"awaitReply":       {stack.StateChanReceive, mistake.ReplyNeverComes},
	"(*watch).follow":  {stack.StateSelect, mistake.CancelForgotten},
	"keepAlive":        {stack.StateSelect, mistake.CancelForgotten},
	"publish":          {stack.StateWaitGroup, mistake.ReplyNeverComes},
	"(*stock).take":    {stack.StateMutex, mistake.LockHeld},
	"(*mailbox).read":  {stack.StateCond, mistake.ReplyNeverComes},
	"expire":           {stack.StateChanReceive, mistake.ReplyNeverComes},
	"remind":           {stack.StateChanReceive, mistake.ReplyNeverComes},
	"runReport.func1":  {stack.StateChanReceive, mistake.ReplyNeverComes},
	"runBackup.func1":  {stack.StateChanSend, mistake.AnswerNotTaken},
	"fetchPages.func1": {stack.StateChanReceive, mistake.ReplyNeverComes},
}

var markedLine = regexp.MustCompile(`(creator|waits|waker): (\S+?)(?:;|$)`)

// expectedOfService returns the expected origins by the marks in the source of the service.
func expectedOfService(t *testing.T) []expected {
	t.Helper()
	by := make(map[string]*expected)
	for function, c := range classes {
		by[function] = &expected{state: c.state, function: "." + function, class: c.class}
	}
	for _, file := range []string{"calls.go", "launched.go"} {
		for number, line := range lines(t, filepath.Join("service", file)) {
			_, comment, _ := strings.Cut(line, " // ")
			for _, mark := range markedLine.FindAllStringSubmatch(comment, -1) {
				e, place := by[mark[2]], "/service/"+file+":"+strconv.Itoa(number+1)
				require.NotNil(t, e, mark[2])
				switch mark[1] {
				case "creator":
					e.own = append(e.own, place)
				case "waits":
					e.file = "service/" + file
				case "waker":
					e.waker = place
				}
			}
		}
	}
	var all []expected
	for function, e := range by {
		require.NotEmpty(t, e.file, "%s waits nowhere", function)
		all = append(all, *e)
	}
	return all
}
