package page

import (
	"path"
	"strings"
	"sync"

	"github.com/otel-goroutine/otel-goroutine/docs/leaks"
)

// guide is what docs/leaks says of a state.
type guide struct {
	intro, causes, repair, healthy []block
	// first is the first sentence of the repair.
	first string
}

// block is a paragraph, a list item or a piece of code.
type block struct {
	Code, Item bool
	Spans      []span // of text
	Text       string // of code
}

// span is a piece of text, in code font or with a link.
type span struct {
	Text, Link string
	Code       bool
}

// guides reads the pages of docs/leaks once.
var guides = sync.OnceValue(func() map[string]*guide {
	all := make(map[string]*guide)
	entries, err := leaks.Pages.ReadDir(".")
	if err != nil {
		return all // an embedded folder can be read
	}
	for _, e := range entries {
		data, err := leaks.Pages.ReadFile(e.Name())
		if err == nil {
			all["docs/leaks/"+e.Name()] = readGuide(string(data))
		}
	}
	return all
})

// guideOf returns the guide of a page of docs/leaks.
func guideOf(name string) *guide {
	if g := guides()[name]; g != nil {
		return g
	}
	return &guide{}
}

// readGuide reads the sections of a page that are shown.
func readGuide(page string) *guide {
	g := &guide{}
	for section := range strings.SplitSeq("\n"+page, "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		blocks := readBlocks(body)
		switch strings.TrimSpace(title) {
		case "Usual causes":
			g.causes = blocks
		case "Repair":
			g.repair = blocks
		case "When it is healthy":
			g.healthy = blocks
		case "":
			g.intro = withoutTitle(blocks)
		}
	}
	if len(g.repair) > 0 {
		g.first = firstSentence(g.repair[0].Spans)
	}
	return g
}

// withoutTitle drops the heading of a page.
func withoutTitle(blocks []block) []block {
	if len(blocks) > 0 && len(blocks[0].Spans) > 0 && strings.HasPrefix(blocks[0].Spans[0].Text, "# ") {
		return blocks[1:]
	}
	return blocks
}

// readBlocks reads Markdown as docs/leaks uses it: paragraphs, lists and fenced code.
//
//   - an item,
//     which goes on
func readBlocks(text string) []block {
	var blocks []block
	var words []string
	item := false
	end := func() {
		if len(words) > 0 {
			blocks = append(blocks, block{Item: item, Spans: readSpans(strings.Join(words, " "))})
		}
		words, item = nil, false
	}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "```"):
			end()
			var code []string
			for i++; i < len(lines) && !strings.HasPrefix(lines[i], "```"); i++ {
				code = append(code, lines[i])
			}
			blocks = append(blocks, block{Code: true, Text: strings.Join(code, "\n")})
		case strings.TrimSpace(line) == "":
			end()
		case strings.HasPrefix(line, "- "):
			end()
			item, words = true, []string{strings.TrimPrefix(line, "- ")}
		default:
			words = append(words, strings.TrimSpace(line))
		}
	}
	end()
	return blocks
}

// readSpans reads code and links in a line of text: "see `x` in [that](file.go)".
func readSpans(text string) []span {
	var spans []span
	plain := func(s string) {
		if s != "" {
			spans = append(spans, span{Text: s})
		}
	}
	for text != "" {
		i := strings.IndexAny(text, "`[")
		if i < 0 {
			break
		}
		before, rest := text[:i], text[i+1:]
		if text[i] == '`' {
			code, after, ok := strings.Cut(rest, "`")
			if !ok {
				break
			}
			plain(before)
			spans = append(spans, span{Text: code, Code: true})
			text = after
			continue
		}
		label, after, ok := strings.Cut(rest, "](")
		link, after, ok2 := strings.Cut(after, ")")
		if !ok || !ok2 || strings.Contains(label, "[") {
			plain(text[:i+1])
			text = rest
			continue
		}
		plain(before)
		spans = append(spans, span{Text: label, Link: link})
		text = after
	}
	plain(text)
	return spans
}

// firstSentence returns a text up to the end of its first sentence.
func firstSentence(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
	}
	text := b.String()
	for i, r := range text {
		if (r == '.' || r == ':') && (i+1 == len(text) || text[i+1] == ' ') {
			return text[:i] + "."
		}
	}
	return text
}

// resolve returns the blocks with links that lead from the page at a URL.
func resolve(blocks []block, base string) []block {
	resolved := make([]block, len(blocks))
	for i, b := range blocks {
		resolved[i] = b
		resolved[i].Spans = make([]span, len(b.Spans))
		for k, s := range b.Spans {
			if s.Link != "" {
				s.Link = documentLink(base, s.Link)
			}
			resolved[i].Spans[k] = s
		}
	}
	return resolved
}

// documentLink returns the URL of a link in docs/leaks, empty if it is none of https.
func documentLink(base, link string) string {
	if strings.Contains(link, "://") {
		return secure(link)
	}
	return secure(strings.TrimSuffix(base, "/") + "/" + path.Join("docs/leaks", link))
}
