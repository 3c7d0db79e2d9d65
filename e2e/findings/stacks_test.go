package findings

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// goroutine is a goroutine in the format of debug=2.
type goroutine struct {
	stack   string
	created string // function and file:line of the go statement
}

// stacksOf returns the goroutines of a process.
func stacksOf(t *testing.T, address string) []goroutine {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/debug/pprof/goroutine?debug=2", http.NoBody)
	require.NoError(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	response, err := client.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return parseStacks(string(body))
}

var createdLine = regexp.MustCompile(`(?m)^created by (\S+)(?: in goroutine \d+)?\n\t(\S+:\d+)`)

// parseStacks parses goroutines in the format of debug=2.
//
//	goroutine 7 [chan send]:
//	main.price(...)
//		/src/main.go:23
//	created by main.checkOut in goroutine 5
//		/src/main.go:17 +0x4f                 ->  created: main.checkOut /src/main.go:17
func parseStacks(text string) []goroutine {
	var all []goroutine
	for block := range strings.SplitSeq(text, "\n\n") {
		if created := createdLine.FindStringSubmatch(block); created != nil {
			stack, _, _ := strings.Cut(block, "\ncreated by ")
			all = append(all, goroutine{stack + "\n", created[1] + " " + created[2]})
		}
	}
	return all
}

// createdBy returns the go statements that started the goroutines of a leak.
func createdBy(stacks []goroutine, l *leak) map[string]bool {
	waits := regexp.MustCompile(`/` + regexp.QuoteMeta(l.waits) + `[ \n]`)
	if l.entry != "" {
		waits = regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(l.entry) + `\(`)
	}
	found := make(map[string]bool)
	for _, g := range stacks {
		if waits.MatchString(g.stack) {
			found[g.created] = true
		}
	}
	return found
}
