package page

import (
	"cmp"
	"hash/fnv"
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Options configures pages.
type Options struct {
	// Title is shown at the top of each page, such as the address of a target.
	Title string
	// RepositoryURL is the URL of the folder that has docs/leaks of this project;
	// DefaultRepositoryURL if empty.
	RepositoryURL string
	Source        Source
}

// DefaultRepositoryURL is the URL of this repository.
const DefaultRepositoryURL = "https://github.com/otel-goroutine/otel-goroutine/blob/main"

func (o Options) orDefaults() Options {
	o.RepositoryURL = cmp.Or(o.RepositoryURL, DefaultRepositoryURL)
	return o
}

// links makes links to findings and services: to a path on the server, or to an anchor in a file.
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

// serviceID identifies a service in a URL.
func serviceID(s finding.Service) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.Join([]string{s.Namespace, s.Name, s.Environment, s.Cluster, s.K8sNamespace}, "\x00"))) // never fails
	return strconv.FormatUint(h.Sum64(), 16)
}

// renderer converts a Site to the data of templates.
type renderer struct {
	site    *Site
	options Options
	links   links
}

// rowView is a finding in a list.
type rowView struct {
	Link, ID                  string
	Severity                  string // or the status, if it is not open
	Where, State, Function    string
	Service, ServiceWhere     string
	Instances, Since, Creator string
	Count, Rate, Limit, Ended string
	Spark, SparkLabel         string
}

func (r *renderer) row(f *Finding) rowView {
	v := rowView{
		Link: r.links.finding(f.ID), ID: f.ID, Severity: f.Severity.String(),
		Where: placeText(f.Head), State: stateText(f.Head), Function: short(cmp.Or(f.Head.Function, f.Head.Entry)),
		Service: serviceName(f.Service), ServiceWhere: serviceWhere(f.Service),
		Since: r.since(f), Spark: sparkline(f.Chart.Count), Limit: limitText(f.Limit),
	}
	if v.Where == withoutPath(v.Function) {
		v.Where = v.Function
	}
	if len(f.Creators) > 0 {
		v.Creator = withoutPath(originName(f.Creators[0]))
	}
	if f.Status != finding.Open {
		v.Severity, v.Ended = string(f.Status), truncate(f.Evidence, maxEvidence)
		return v
	}
	v.Count, v.Rate = finding.Number(f.Count), formatRate(f.PerHour)
	if f.Of > 1 {
		v.Instances = strconv.Itoa(f.Instances) + " of " + strconv.Itoa(f.Of) + " instances"
	}
	if v.Spark != "" {
		v.SparkLabel = "goroutines over " + finding.Span(f.Chart.Step*sparkSteps(f.Chart.Count))
	}
	return v
}

// stateText returns the state of a place in words: "chan send".
func stateText(p finding.Place) string {
	if p.State == "" {
		return "never ends"
	}
	return strings.ReplaceAll(short(p.State), "_", " ")
}

// since returns the first version of a finding and its age.
func (r *renderer) since(f *Finding) string {
	text := ago(startTime(f), r.site.At)
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

// pageView is the common part of all pages.
type pageView struct {
	Title, Heading string
	Tab            string
	Open           int
	At, AtISO      string
	Assets         assetPaths
	Sheet          template.CSS
	Live           bool
	Body           any
}

func (r *renderer) page(title, tab string, body any) pageView {
	return pageView{
		Title: title, Heading: short(r.options.Title), Tab: tab, Open: r.site.open(), At: formatTime(r.site.At), AtISO: rfc3339(r.site.At),
		Assets: pageAssets(), Sheet: styleSheet(), Live: true, Body: body,
	}
}
