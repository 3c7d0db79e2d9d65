package page

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// detailView is the page of a finding.
type detailView struct {
	Row              rowView
	Anchor           string
	Evidence         string
	Facts            []fact
	First            []string // what to do first
	Wide, Narrow     *plot
	Legends          []legend
	Class            string
	Intro            []block
	Causes, Repair   []block
	Healthy          []block
	Guide            string // URL
	Creators, Wakers []originView
	Stacks           []stackView
	Traced           string
	Places           []placeView
	Worst            []instanceView
	MoreInstances    int
	Acquittal        string
	Memory           string
	Markdown         string
	MarkdownLink     string
	JSONLink         string
	ServiceLink      string
	Began, BeganISO  string
	Detected         string
	DetectedISO      string
}

// fact is one of the facts at the top of a finding: where, started by, since.
type fact struct {
	Name string
	Line lineView
	Note string
}

// lineView is a source line, with a link if its URL is known.
type lineView struct{ Text, Link, Title string }

type originView struct {
	Line     lineView
	Function string
	Share    string
}

// stackView is the stack of a creator or a waker.
type stackView struct {
	Title  string
	Frames []frameView
}

type frameView struct {
	Function string
	Line     lineView
}

type placeView struct {
	Line                   lineView
	State, Function, Entry string
	Module                 string
}

type instanceView struct{ Name, Version, Count string }

func (r *renderer) detail(f *Finding) detailView {
	g := guideOf(f.Page)
	where := r.lineOf(f, sourceLine{cmp.Or(f.Head.Function, f.Head.Entry), cmp.Or(f.Head.File, f.Head.EntryFile), f.Head.Line})
	v := detailView{
		Row: r.row(f), Anchor: strings.TrimPrefix(links{file: true}.finding(f.ID), "#"), Evidence: sentence(truncate(f.Evidence, maxEvidence)),
		Facts:    r.facts(f, where),
		First:    r.firstSteps(f, g),
		Wide:     newPlot(f.Chart, f.Versions, 760, 250),
		Narrow:   newPlot(f.Chart, f.Versions, 360, 230),
		Legends:  legends(f.Chart),
		Class:    f.Class.String(),
		Intro:    resolve(g.intro, r.options.RepositoryURL),
		Causes:   resolve(g.causes, r.options.RepositoryURL),
		Repair:   resolve(g.repair, r.options.RepositoryURL),
		Healthy:  resolve(g.healthy, r.options.RepositoryURL),
		Guide:    httpsURL(strings.TrimSuffix(r.options.RepositoryURL, "/") + "/" + f.Page),
		Creators: r.originsOf(f, f.Creators), Wakers: r.originsOf(f, f.Wakers),
		Acquittal: truncate(f.Acquittal, maxEvidence), Memory: memoryText(f.Memory),
		Markdown: Markdown(f, r.options), MarkdownLink: r.links.finding(f.ID) + "/markdown", JSONLink: "/api/findings/" + strings.TrimPrefix(r.links.finding(f.ID), "/findings/"),
		ServiceLink: r.links.service(f.Service),
		Began:       formatTime(f.Began), BeganISO: rfc3339(f.Began), Detected: formatTime(f.Detected), DetectedISO: rfc3339(f.Detected),
	}
	if len(f.Origins) > 0 {
		v.Stacks = r.stacks(f, f.Origins[0].Stacks)
		v.Traced = truncate(f.Origins[0].Text, maxEvidence)
	}
	for _, p := range f.Places {
		v.Places = append(v.Places, placeView{
			Line:  r.lineOf(f, sourceLine{cmp.Or(p.Function, p.Entry), cmp.Or(p.File, p.EntryFile), p.Line}),
			State: stateText(p), Function: short(p.Function), Entry: short(p.Entry), Module: short(p.Module()),
		})
	}
	for _, i := range f.Worst {
		v.Worst = append(v.Worst, instanceView{short(cmp.Or(i.Name, "unnamed")), short(i.Version), finding.Number(i.Count)})
	}
	v.MoreInstances = max(0, f.Instances-len(f.Worst))
	return v
}

// maxEvidence is the maximum length of a sentence, in bytes.
const maxEvidence = 1200

// sentence capitalizes text and adds a period.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// lineOf returns a source line, linked to the last version with the finding.
func (r *renderer) lineOf(f *Finding, l sourceLine) lineView {
	text := placeText(finding.Place{Function: l.function, File: l.file, Line: l.line})
	return lineView{Text: text, Link: r.options.Source.link(l, f.Service, f.version()), Title: short(l.file)}
}

// version returns the last version with the finding.
func (f *Finding) version() finding.Version {
	for _, v := range slices.Backward(f.Versions) {
		if v.Name == f.LastVersion {
			return v
		}
	}
	return finding.Version{Name: f.LastVersion}
}

// facts returns what an on-call engineer needs first.
func (r *renderer) facts(f *Finding, where lineView) []fact {
	all := []fact{{Name: "Waiting at", Line: where, Note: r.row(f).Function}}
	if f.Head.State == "" {
		all[0].Name = "Running"
	}
	creator := fact{Name: "Started by", Line: lineView{Text: "not known yet"}, Note: "The receiver finds out by a trace, if the target permits it."}
	if len(f.Creators) > 0 {
		c := f.Creators[0]
		creator.Line, creator.Note = r.lineOf(f, originLine(c)), originName(c)
		if c.Function == "" {
			creator.Line, creator.Note = lineView{Text: originName(c)}, ""
		}
		if len(f.Creators) > 1 {
			creator.Note += ", " + percent(c.Share) + " of the starts in traces"
		}
	} else if f.Head.Entry != "" {
		creator.Note = "The goroutines run " + short(f.Head.Entry) + "."
	}
	all = append(all, creator)
	since := fact{Name: "Since", Line: lineView{Text: cmp.Or(ago(startTime(f), r.site.At), "unknown")}, Note: formatTime(startTime(f))}
	switch {
	case f.FirstVersion == "":
	case f.Introduced:
		since.Line.Text = "version " + short(f.FirstVersion)
		since.Note = ago(startTime(f), r.site.At) + "; an earlier version did not have it"
	case f.FirstVersion != f.LastVersion:
		since.Line.Text = short(f.FirstVersion) + " to " + short(f.LastVersion)
		since.Note = ago(startTime(f), r.site.At) + ", in all known versions"
	default:
		since.Line.Text = "version " + short(f.FirstVersion)
		since.Note = ago(startTime(f), r.site.At) + ", no other version is known"
	}
	return append(all, since)
}

// startTime returns when the goroutines began to gather; if unknown, when the leak was detected.
func startTime(f *Finding) time.Time {
	if f.Began.IsZero() {
		return f.Detected
	}
	return f.Began
}

// firstSteps returns what to do first: to gain time, and to end the leak.
func (r *renderer) firstSteps(f *Finding, g *guide) []string {
	switch f.Status {
	case finding.Closed:
		return []string{"Nothing: version " + short(f.ClosedBy) + " does not have it."}
	case finding.Over:
		return []string{"Nothing, unless it comes back."}
	case finding.Waiting:
		return []string{"Wait: the processes that leaked are gone. It is closed if " + f.Acquittal + "."}
	}
	var all []string
	if f.Limit.Kind != "" {
		instance := ""
		if f.Limit.Instance != "" {
			instance = short(f.Limit.Instance) + ": "
		}
		all = append(all, instance+limitText(f.Limit)+".")
	}
	if gain := restartGain(f, r.site.At); gain != "" {
		all = append(all, "If it cannot wait, a restart gains "+gain+".")
	}
	if f.Introduced {
		all = append(all, "Roll back to a version before "+short(f.FirstVersion)+".")
	}
	if g.first != "" {
		all = append(all, "Repair: "+g.first)
	}
	return all
}

// restartGain returns how much time a restart gains: as much as the leak took to get here. It
// returns an empty string if that is unknown or less than a minute.
func restartGain(f *Finding, now time.Time) string {
	if d := now.Sub(startTime(f)); !startTime(f).IsZero() && d >= time.Minute {
		return "about " + finding.Span(d)
	}
	return ""
}

func percent(share float64) string { return strconv.Itoa(int(100*share+0.5)) + "%" }

func (r *renderer) originsOf(f *Finding, origins []finding.Origin) []originView {
	var all []originView
	for _, o := range origins {
		v := originView{r.lineOf(f, originLine(o)), originName(o), percent(o.Share)}
		if o.Function == "" {
			v.Line, v.Function = lineView{Text: originName(o)}, ""
		}
		all = append(all, v)
	}
	return all
}

func (r *renderer) stacks(f *Finding, text string) []stackView {
	var all []stackView
	for _, s := range history.ReadStacks(text) {
		v := stackView{Title: s.Title}
		for _, frame := range s.Frames {
			v.Frames = append(v.Frames, frameView{short(frame.Function), r.lineOf(f, sourceLine{frame.Function, frame.File, frame.Line})})
		}
		all = append(all, v)
	}
	return all
}

// memoryText returns the memory that a leak holds, empty if unknown.
func memoryText(m finding.Memory) string {
	if m.Held <= 0 {
		return ""
	}
	text := formatBytes(m.Held) + " held, " + formatBytes(m.PerGoroutine) + " a goroutine"
	if m.AtLeast {
		return "at least " + text + " (stacks alone)"
	}
	return text
}
