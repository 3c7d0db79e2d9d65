package page

import (
	"hash/fnv"
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Options say how a Site is shown.
type Options struct {
	// Title is what shows it, such as the address of a target.
	Title string
	// RepositoryURL is where the folder docs/leaks of this project is found.
	RepositoryURL string
	Source        Source
}

// DefaultRepositoryURL is where docs/leaks is found if Options do not say.
const DefaultRepositoryURL = "https://github.com/otel-goroutine/otel-goroutine/blob/main"

func (o Options) orDefaults() Options {
	o.RepositoryURL = cmpOr(o.RepositoryURL, DefaultRepositoryURL)
	return o
}

// links tells where the parts of a Site are found: at addresses of a server, or further down
// in a file.
type links struct{ file bool }

func (l links) finding(id string) string {
	if l.file {
		return "#finding-" + url.PathEscape(id)
	}
	return "/findings/" + url.PathEscape(id)
}

func (l links) service(s finding.Service) string {
	if l.file {
		return "#service-" + serviceID(s)
	}
	return "/services/" + serviceID(s)
}

// serviceID identifies a service in an address.
func serviceID(s finding.Service) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.Join([]string{s.Namespace, s.Name, s.Environment, s.Cluster, s.K8sNamespace}, "\x00"))) // never fails
	return strconv.FormatUint(h.Sum64(), 16)
}

// renderer makes what templates show of a Site.
type renderer struct {
	site    *Site
	options Options
	links   links
}

// rowView is a finding in a list.
type rowView struct {
	Link, ID                      string
	Severity, Status              string
	Where, State, Function        string
	Service, ServiceWhere         string
	Instances, Since, Creator     string
	Count, Rate, Limit, Ended     string
	Spark                         string
	SparkLabel                    string
	SeverityNote                  string
	Memory                        string
	FirstSeen, FirstSeenForPeople string
}

func (r *renderer) row(f *Finding) rowView {
	v := rowView{
		Link: r.links.finding(f.ID), ID: f.ID, Severity: f.Severity.String(), Status: string(f.Status),
		Where: at(f.Head), State: stateWord(f.Head), Function: short(cmpOr(f.Head.Function, f.Head.Entry)),
		Service: serviceName(f.Service), ServiceWhere: serviceWhere(f.Service),
		Since: r.since(f), Spark: sparkline(f.Chart.Count), Limit: limitText(f.Limit),
		FirstSeen: machine(began(f)), FirstSeenForPeople: clock(began(f)),
	}
	if v.Where == packageless(v.Function) {
		v.Where = v.Function
	}
	if len(f.Creators) > 0 {
		v.Creator = packageless(originName(f.Creators[0]))
	}
	if f.Status != finding.Open {
		v.Severity, v.Ended = string(f.Status), shortened(f.Evidence, maxEvidence)
		return v
	}
	v.Count, v.Rate = finding.Number(f.Count), perHour(f.PerHour)
	if f.Of > 1 {
		v.Instances = strconv.Itoa(f.Instances) + " of " + strconv.Itoa(f.Of) + " instances"
	}
	if v.Spark != "" {
		v.SparkLabel = "goroutines over " + finding.Span(f.Chart.Step*sparkSpan(f.Chart.Count))
	}
	return v
}

// stateWord returns a state for people: "chan send".
func stateWord(p finding.Place) string {
	if p.State == "" {
		return "never ends"
	}
	return strings.ReplaceAll(short(p.State), "_", " ")
}

// since returns since when a finding is there, and in which version.
func (r *renderer) since(f *Finding) string {
	text := ago(began(f), r.site.At)
	if f.FirstVersion == "" {
		return text
	}
	version := "in " + short(f.FirstVersion)
	if f.Introduced {
		version = "since " + short(f.FirstVersion)
	}
	if text == "" {
		return version
	}
	return version + ", " + text
}

// pageView is what every page shows.
type pageView struct {
	Title, Heading string
	Tab            string
	Open           int
	At, AtISO      string
	Assets         assetNames
	Sheet          template.CSS
	Live           bool
	Body           any
}

func (r *renderer) page(title, tab string, body any) pageView {
	return pageView{
		Title: title, Heading: short(r.options.Title), Tab: tab, Open: r.site.open(), At: clock(r.site.At), AtISO: machine(r.site.At),
		Assets: names(), Sheet: sheet(), Live: true, Body: body,
	}
}
