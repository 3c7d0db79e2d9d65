package page

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// detailView is a finding on a page of its own.
type detailView struct {
	Row                  rowView
	Anchor               string
	Evidence             string
	Where                lineView
	Facts                []fact
	First                []string // what to do
	Wide, Narrow         *plot
	Legends              []legend
	Class                string
	Intro                []block
	Causes, Repair       []block
	Healthy              []block
	Guide                string // URL
	Creators, Wakers     []originView
	Stacks               []stackView
	Traced               string
	Places               []placeView
	Worst                []instanceView
	MoreInstances        int
	Acquittal            string
	Memory               string
	Markdown             string
	MarkdownLink         string
	JSONLink             string
	ServiceLink          string
	Began, BeganISO      string
	Detected             string
	DetectedISO          string
	VersionNote, EndNote string
}

// fact is a part of the first answer: where, who, since when.
type fact struct {
	Name string
	Line lineView
	Note string
}

// lineView is a line of source, with a link to it if one is known.
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
	Text   string // of what is no stack
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
	v := detailView{
		Row: r.row(f), Anchor: strings.TrimPrefix(links{file: true}.finding(f.ID), "#"), Evidence: sentence(shortened(f.Evidence, maxEvidence)),
		Where:    r.lineOf(f, line{cmpOr(f.Head.Function, f.Head.Entry), cmpOr(f.Head.File, f.Head.EntryFile), f.Head.Line}),
		First:    r.first(f, g),
		Wide:     newPlot(f.Chart, f.Versions, 760, 250),
		Narrow:   newPlot(f.Chart, f.Versions, 360, 230),
		Legends:  legends(f.Chart),
		Class:    f.Class.String(),
		Intro:    resolve(g.intro, r.options.RepositoryURL),
		Causes:   resolve(g.causes, r.options.RepositoryURL),
		Repair:   resolve(g.repair, r.options.RepositoryURL),
		Healthy:  resolve(g.healthy, r.options.RepositoryURL),
		Guide:    secure(strings.TrimSuffix(r.options.RepositoryURL, "/") + "/" + f.Page),
		Creators: r.originsOf(f, f.Creators), Wakers: r.originsOf(f, f.Wakers),
		Acquittal: shortened(f.Acquittal, maxEvidence), Memory: memoryText(f.Memory),
		Markdown: Markdown(f, r.options), MarkdownLink: r.links.finding(f.ID) + "/markdown", JSONLink: "/api/findings/" + strings.TrimPrefix(r.links.finding(f.ID), "/findings/"),
		ServiceLink: r.links.service(f.Service),
		Began:       clock(f.Began), BeganISO: machine(f.Began), Detected: clock(f.Detected), DetectedISO: machine(f.Detected),
	}
	v.Facts = r.facts(f, v.Where)
	if len(f.Origins) > 0 {
		v.Stacks = r.stacks(f, f.Origins[0].Stacks)
		v.Traced = shortened(f.Origins[0].Text, maxEvidence)
	}
	for _, p := range f.Places {
		v.Places = append(v.Places, placeView{
			Line:  r.lineOf(f, line{cmpOr(p.Function, p.Entry), cmpOr(p.File, p.EntryFile), p.Line}),
			State: stateWord(p), Function: short(p.Function), Entry: short(p.Entry), Module: short(p.Module()),
		})
	}
	for _, i := range f.Worst {
		v.Worst = append(v.Worst, instanceView{short(cmpOr(i.Name, "unnamed")), short(i.Version), finding.Number(i.Count)})
	}
	v.MoreInstances = max(0, f.Instances-len(f.Worst))
	return v
}

// maxEvidence is how much of a sentence is shown, in bytes.
const maxEvidence = 1200

// sentence returns a text that begins as a sentence does, and ends so.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// lineOf returns a line of source, of the latest version of the finding that is known.
func (r *renderer) lineOf(f *Finding, l line) lineView {
	text := at(finding.Place{Function: l.function, File: l.file, Line: l.line})
	return lineView{Text: text, Link: r.options.Source.link(l, f.Service, f.version()), Title: short(l.file)}
}

// version returns the build that showed the finding last.
func (f *Finding) version() finding.Version {
	for _, v := range slices.Backward(f.Versions) {
		if v.Name == f.LastVersion {
			return v
		}
	}
	return finding.Version{Name: f.LastVersion}
}

// facts are what somebody on call wants to know first.
func (r *renderer) facts(f *Finding, where lineView) []fact {
	all := []fact{{Name: "They wait at", Line: where, Note: r.row(f).Function}}
	if f.Head.State == "" {
		all[0].Name = "They run"
	}
	creator := fact{Name: "Started by", Line: lineView{Text: "not known yet"}, Note: "A trace tells, where the receiver may take one."}
	if len(f.Creators) > 0 {
		c := f.Creators[0]
		creator.Line, creator.Note = r.lineOf(f, originLine(c)), originName(c)
		if c.Function == "" {
			creator.Line, creator.Note = lineView{Text: originName(c)}, ""
		}
		if len(f.Creators) > 1 {
			creator.Note += ", " + percent(c.Share) + " of what was seen"
		}
	} else if f.Head.Entry != "" {
		creator.Note = "Its goroutines run " + short(f.Head.Entry) + "."
	}
	all = append(all, creator)
	since := fact{Name: "Since", Line: lineView{Text: cmpOr(ago(began(f), r.site.At), "unknown")}, Note: clock(began(f))}
	switch {
	case f.FirstVersion == "":
	case f.Introduced:
		since.Line.Text = "version " + short(f.FirstVersion)
		since.Note = ago(began(f), r.site.At) + "; an earlier version does not show it"
	case f.FirstVersion != f.LastVersion:
		since.Line.Text = short(f.FirstVersion) + " to " + short(f.LastVersion)
		since.Note = ago(began(f), r.site.At) + ", in every version known"
	default:
		since.Line.Text = "version " + short(f.FirstVersion)
		since.Note = ago(began(f), r.site.At) + ", no other version is known"
	}
	return append(all, since)
}

// began returns since when the goroutines gather, as far as that is known.
func began(f *Finding) time.Time {
	if f.Began.IsZero() {
		return f.Detected
	}
	return f.Began
}

// first says what to do first: to gain time, and to end the leak.
func (r *renderer) first(f *Finding, g *guide) []string {
	switch f.Status {
	case finding.Closed:
		return []string{"Nothing: version " + short(f.ClosedBy) + " does not have it."}
	case finding.Over:
		return []string{"Nothing, while it does not come back."}
	case finding.Waiting:
		return []string{"Wait: the processes that leaked are gone. " + sentence(f.Acquittal)}
	}
	var all []string
	if f.Limit.Kind != "" {
		who := ""
		if f.Limit.Instance != "" {
			who = short(f.Limit.Instance) + ": "
		}
		all = append(all, who+limitText(f.Limit)+". A restart gains "+gains(f, r.site.At)+".")
	} else if text := gains(f, r.site.At); text != "" {
		all = append(all, "A restart gains "+text+", if it must be now.")
	}
	if f.Introduced {
		all = append(all, "Roll back to a version before "+short(f.FirstVersion)+".")
	}
	if g.first != "" {
		all = append(all, "Repair: "+g.first)
	}
	return all
}

// gains returns for how long a restart ends a leak: as long as it took to get here.
func gains(f *Finding, now time.Time) string {
	if d := now.Sub(began(f)); !began(f).IsZero() && d >= time.Minute {
		return "some " + finding.Span(d)
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
			v.Frames = append(v.Frames, frameView{short(frame.Function), r.lineOf(f, line{frame.Function, frame.File, frame.Line})})
		}
		all = append(all, v)
	}
	return all
}

// memoryText says what a leak holds.
func memoryText(m finding.Memory) string {
	if m.Held <= 0 {
		return ""
	}
	text := bytesOf(m.Held) + " held, " + bytesOf(m.PerGoroutine) + " a goroutine"
	if m.AtLeast {
		return "at least " + text + " (stacks alone)"
	}
	return text
}
