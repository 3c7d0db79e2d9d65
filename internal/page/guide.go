package page

import (
	"path"
	"strings"
	"sync"

	"github.com/otel-goroutine/otel-goroutine/docs/leaks"
)

// guide is a page of docs/leaks, about goroutines in one state.
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

// guidesByPage returns the guides by the path of their page.
var guidesByPage = sync.OnceValue(func() map[string]*guide {
	all := make(map[string]*guide)
	entries, err := leaks.Pages.ReadDir(".")
	if err != nil {
		return all // reading an embedded folder never fails
	}
	for _, e := range entries {
		data, err := leaks.Pages.ReadFile(e.Name())
		if err == nil {
			all["docs/leaks/"+e.Name()] = parseGuide(string(data))
		}
	}
	return all
})

// guideOf returns the guide of a page of docs/leaks; an empty guide if there is no such page.
func guideOf(name string) *guide {
	if g := guidesByPage()[name]; g != nil {
		return g
	}
	return &guide{}
}

// parseGuide parses the sections of a page that are shown.
func parseGuide(page string) *guide {
	g := &guide{}
	for section := range strings.SplitSeq("\n"+page, "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		blocks := parseBlocks(body)
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

// withoutTitle removes the heading of a page.
func withoutTitle(blocks []block) []block {
	if len(blocks) > 0 && len(blocks[0].Spans) > 0 && strings.HasPrefix(blocks[0].Spans[0].Text, "# ") {
		return blocks[1:]
	}
	return blocks
}

// parseBlocks parses the Markdown of docs/leaks: paragraphs, lists and fenced code.
//
//   - an item,
//     continued
func parseBlocks(text string) []block {
	var blocks []block
	var words []string
	item := false
	endBlock := func() {
		if len(words) > 0 {
			blocks = append(blocks, block{Item: item, Spans: parseSpans(strings.Join(words, " "))})
		}
		words, item = nil, false
	}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "```"):
			endBlock()
			var code []string
			for i++; i < len(lines) && !strings.HasPrefix(lines[i], "```"); i++ {
				code = append(code, lines[i])
			}
			blocks = append(blocks, block{Code: true, Text: strings.Join(code, "\n")})
		case strings.TrimSpace(line) == "":
			endBlock()
		case strings.HasPrefix(line, "- "):
			endBlock()
			item, words = true, []string{strings.TrimPrefix(line, "- ")}
		default:
			words = append(words, strings.TrimSpace(line))
		}
	}
	endBlock()
	return blocks
}

// parseSpans parses code and links in a line of text: "see `x` in [that](file.go)".
func parseSpans(text string) []span {
	var spans []span
	addText := func(s string) {
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
			addText(before)
			spans = append(spans, span{Text: code, Code: true})
			text = after
			continue
		}
		label, after, ok := strings.Cut(rest, "](")
		link, after, ok2 := strings.Cut(after, ")")
		if !ok || !ok2 || strings.Contains(label, "[") {
			addText(text[:i+1])
			text = rest
			continue
		}
		addText(before)
		spans = append(spans, span{Text: label, Link: link})
		text = after
	}
	addText(text)
	return spans
}

// firstSentence returns the first sentence of a text, with a period at its end.
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

// resolve returns a copy of the blocks in which links are absolute; base is the URL of the
// repository.
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

// documentLink returns the https URL of a link in docs/leaks; an empty string if there is none.
func documentLink(base, link string) string {
	if strings.Contains(link, "://") {
		return httpsURL(link)
	}
	return httpsURL(strings.TrimSuffix(base, "/") + "/" + path.Join("docs/leaks", link))
}
