package e2e

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otel-goroutine/otel-goroutine/e2e/internal/loopback"
)

var pages = filepath.Join("..", "docs", "leaks")

// states returns the names of all states, from the source of package stack.
func states(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "internal", "stack", "state.go"), nil, 0)
	require.NoError(t, err)
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "State") {
			return true
		}
		name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		names = append(names, name)
		return false
	})
	require.NotEmpty(t, names)
	return names
}

func page(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(pages, name+".md"))
	require.NoError(t, err)
	return string(content)
}

// TestEveryStateHasAPage checks that each state has a page with the same sections.
func TestEveryStateHasAPage(t *testing.T) {
	index := page(t, "README")
	for _, state := range states(t) {
		text := page(t, state)
		assert.True(t, strings.HasPrefix(text, "# "+state+"\n"), state)
		for _, section := range []string{"Usual causes", "Repair", "Look at it", "When it is healthy"} {
			assert.Contains(t, text, "\n## "+section+"\n", state)
		}
		assert.Contains(t, index, "["+state+"]("+state+".md)", "the index")
	}
	files, err := filepath.Glob(filepath.Join(pages, "*.md"))
	require.NoError(t, err)
	assert.Len(t, files, len(states(t))+1, "a page for each state, and the index")
}

// TestEveryLeakIsOnThePageOfItsState checks that the page of a state links to the examples of leaks in
// that state.
func TestEveryLeakIsOnThePageOfItsState(t *testing.T) {
	for _, l := range leaks() {
		assert.Contains(t, page(t, l.state), "(../../examples/leaks/"+l.pattern+"/leaky.go)", l.state)
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)\)`)

func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(pages, "*.md"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range link.FindAllSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join(pages, filepath.FromSlash(string(found[1]))))
			assert.NoError(t, err, file)
		}
	}
}

var focus = regexp.MustCompile(`(?m)^go tool pprof (-traces -lines -focus=.*) goroutines\.pb\.gz$`)

// TestCommandsOfPagesShowTheLeaks runs the commands of the pages on a process with all example leaks.
func TestCommandsOfPagesShowTheLeaks(t *testing.T) {
	t.Parallel()
	address := loopback.FreeAddress(t)
	run(t, nil, buildLeaks(t), "-listen", address, "-every", "50ms", "-max-goroutines", "1000", "-for", "1m")
	byState := make(map[string][]place)
	var lines []string
	for _, l := range leaks() {
		at := l.place(t)
		byState[l.state] = append(byState[l.state], at)
		lines = append(lines, at.fileLine())
	}
	await(t, 40*time.Second, "the process has all leaks", func() bool {
		stacks := pageAt(t.Context(), "http://"+address+"/debug/pprof/goroutine?debug=1")
		return !slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(stacks, line) })
	})
	profile := filepath.Join(t.TempDir(), "goroutines.pb.gz")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		fetch(c, "http://"+address+"/debug/pprof/goroutine", profile)
		for state, places := range byState {
			command := focus.FindStringSubmatch(page(t, state))
			if !assert.NotNil(c, command, "%s has no command", state) {
				continue
			}
			shown := pprofOf(t, command[1], profile)
			for _, at := range places {
				assert.Contains(c, shown, at.fileLine(), state)
			}
		}
	}, 40*time.Second, 100*time.Millisecond)
}

func fetch(c *assert.CollectT, url, file string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	require.NoError(c, err)
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	require.NoError(c, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c, err)
	require.NoError(c, os.WriteFile(file, body, 0o600))
}

// pprofOf returns the output of go tool pprof. A shell splits the arguments, as for a reader of the pages. The priority is
// low, since other tests wait for timers meanwhile.
func pprofOf(t *testing.T, arguments, profile string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "nice", "bash", "-c", "go tool pprof "+arguments+" "+profile).Output()
	require.NoError(t, err)
	return string(out)
}
