package page

import (
	"strings"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

func TestSourceLinks(t *testing.T) {
	build := finding.Version{Name: "1.8.2", Revision: "5f2d1c0abcde"}
	for _, test := range []struct {
		name, template string
		at             sourceLine
		version        finding.Version
		want           string
	}{
		{"module", "", sourceLine{"f", "/home/dev/go/pkg/mod/github.com/nats-io/nats.go@v1.48.0/nats.go", 41}, build, "https://github.com/nats-io/nats.go/blob/v1.48.0/nats.go#L41"},
		{"module, trimmed", "", sourceLine{"f", "github.com/x/y/v2@v2.1.0/a/b.go", 1}, build, "https://github.com/x/y/blob/v2.1.0/a/b.go#L1"},
		{"module in a folder", "", sourceLine{"f", "github.com/x/y/sub@v0.3.0/b.go", 1}, build, "https://github.com/x/y/blob/sub/v0.3.0/sub/b.go#L1"},
		{"module without a tag", "", sourceLine{"f", "golang.org/x/exp@v0.0.0-20260112195511-716be5621a96/trace/t.go", 9}, build, "https://github.com/golang/exp/blob/716be5621a96/trace/t.go#L9"},
		{"module with upper case", "", sourceLine{"f", "/mod/github.com/!burnt!sushi/toml@v1.0.0/t.go", 2}, build, "https://github.com/BurntSushi/toml/blob/v1.0.0/t.go#L2"},
		{"module elsewhere", "", sourceLine{"f", "go.uber.org/zap@v1.28.0/l.go", 2}, build, ""},
		{"service on GitHub", "", sourceLine{"github.com/acme/shop/order.ask.func1", "/src/shop/order/order.go", 88}, build, "https://github.com/acme/shop/blob/5f2d1c0abcde/order/order.go#L88"},
		{"service with a major version", "", sourceLine{"github.com/acme/shop/v3/order.(*S).ask", "order.go", 8}, build, "https://github.com/acme/shop/blob/5f2d1c0abcde/order/order.go#L8"},
		{"no revision", "", sourceLine{"github.com/acme/shop/order.ask", "/order.go", 8}, finding.Version{Name: "1"}, ""},
		{"invalid revision", "", sourceLine{"github.com/acme/shop/order.ask", "/order.go", 8}, finding.Version{Revision: "../../evil"}, ""},
		{"main", "", sourceLine{"main.ask", "/order.go", 8}, build, ""},
		{"template", "https://git.example/{service}/blob/{revision}/{file}#L{line}", sourceLine{"main.ask", "/src/order.go", 8}, build, "https://git.example/shop/blob/5f2d1c0abcde/src/order.go#L8"},
		{"template without a revision", "https://git.example/{revision}/{base}", sourceLine{"main.ask", "/src/order.go", 8}, finding.Version{}, ""},
		{"template, hostile", "https://git.example/{file}#L{line}", sourceLine{"main.ask", "/../..//\"<x>/javascript:y", 8}, build, "https://git.example//%22%3Cx%3E/javascript:y#L8"},
		{"template, not https", "http://git.example/{file}", sourceLine{"main.ask", "/order.go", 8}, build, ""},
		{"template, a script", "javascript:{file}", sourceLine{"main.ask", "/order.go", 8}, build, ""},
		{"too long when escaped", "https://git.example/{file}", sourceLine{"main.ask", strings.Repeat("\xa4", 700), 8}, build, ""},
		{"file with a question mark", "", sourceLine{"github.com/acme/shop/order.ask", "/src/a?b.go", 8}, build, "https://github.com/acme/shop/blob/5f2d1c0abcde/order/a%3Fb.go#L8"},
		{"no line", "https://git.example/{file}", sourceLine{"main.ask", "/order.go", 0}, build, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := (Source{test.template}).link(test.at, finding.Service{Name: "shop"}, test.version); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzSourceLink(f *testing.F) {
	f.Add("https://git.example/{service}/{revision}/{file}#L{line}", "github.com/acme/shop/order.ask", "/mod/github.com/x/y@v1.0.0/z.go", "5f2d1c0", "shop")
	f.Fuzz(func(t *testing.T, template, function, file, revision, service string) {
		for _, s := range []Source{{}, {template}} {
			link := s.link(sourceLine{function, file, 7}, finding.Service{Name: service}, finding.Version{Revision: revision, Name: "1"})
			if link != "" && httpsURL(link) != link {
				t.Errorf("%q", link)
			}
		}
	})
}
