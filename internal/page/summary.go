package page

import (
	"math"
	"net/url"

	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Documents is a page of findings as JSON.
type Documents struct {
	At       string            `json:"at" doc:"of the latest data, RFC 3339"`
	Found    int               `json:"found" doc:"findings that match"`
	Page     int               `json:"page" doc:"from 1 on; the parameter page asks for others"`
	Findings []SummaryDocument `json:"findings" doc:"the worst first, 50 at most"`
}

// SummaryDocument is a finding in a list.
type SummaryDocument struct {
	ID       string          `json:"id" doc:"the finding in full is at /api/findings/{id}"`
	Service  ServiceDocument `json:"service" doc:"the service that leaks"`
	Status   string          `json:"status" doc:"open, waiting, closed or over"`
	Severity string          `json:"severity" doc:"suspected, probable or confirmed"`
	Evidence string          `json:"evidence" doc:"what is known, in one sentence"`
	Link     string          `json:"link" doc:"the page of the finding"`
}

func (r *renderer) documents(q query) Documents {
	found := q.find(r.site)
	d := Documents{At: machine(r.site.At), Found: len(found), Page: q.Page, Findings: []SummaryDocument{}}
	for _, f := range cut(found, q.Page) {
		d.Findings = append(d.Findings, SummaryDocument{
			ID: f.ID, Service: ServiceDocument{short(f.Service.Name), short(f.Service.Namespace), short(f.Service.Environment), short(f.Service.Cluster), short(f.Service.K8sNamespace)},
			Status: string(f.Status), Severity: f.Severity.String(), Evidence: shortened(f.Evidence, 4*shownName), Link: "/findings/" + url.PathEscape(f.ID),
		})
	}
	return d
}

// ServiceDocuments is all services as JSON.
type ServiceDocuments struct {
	At       string                   `json:"at" doc:"of the latest data, RFC 3339"`
	Services []ServiceSummaryDocument `json:"services" doc:"by name"`
}

// ServiceSummaryDocument is how a service is.
type ServiceSummaryDocument struct {
	Service    ServiceDocument  `json:"service" doc:"the service"`
	Standing   string           `json:"standing" doc:"whether it leaks, is fine, or what it needs until that can be said"`
	Note       string           `json:"note,omitempty" doc:"what that means"`
	Fine       bool             `json:"fine" doc:"watched for long enough, and nothing is flagged"`
	Leaks      int              `json:"leaks" doc:"open findings"`
	Goroutines float64          `json:"goroutines" doc:"in all instances"`
	Watched    float64          `json:"watched_seconds" doc:"for how long data has come"`
	Instances  int              `json:"instances" doc:"of which data has come within a day"`
	Down       []TargetDocument `json:"down,omitempty" doc:"targets that cannot be scraped, ten at most"`
	Link       string           `json:"link" doc:"the page of the service"`
}

// TargetDocument is a target that cannot be scraped.
type TargetDocument struct {
	Name   string `json:"name" doc:"service.instance.id"`
	Since  string `json:"since" doc:"RFC 3339"`
	Reason string `json:"reason" doc:"error.type of the receiver"`
}

// toldDown is how many targets that are down are told of a service.
const toldDown = 10

func (r *renderer) serviceDocuments() ServiceDocuments {
	d := ServiceDocuments{At: machine(r.site.At), Services: []ServiceSummaryDocument{}}
	for i := range r.site.Services {
		d.Services = append(d.Services, r.serviceDocument(&r.site.Services[i]))
	}
	return d
}

func (r *renderer) serviceDocument(s *history.Service) ServiceSummaryDocument {
	stands := r.standing(s)
	d := ServiceSummaryDocument{
		Service:  ServiceDocument{short(s.Service.Name), short(s.Service.Namespace), short(s.Service.Environment), short(s.Service.Cluster), short(s.Service.K8sNamespace)},
		Standing: stands.Text, Note: stands.Note, Fine: stands.fine, Goroutines: s.Goroutines, Watched: math.Round(s.Last.Sub(s.First).Seconds()),
		Instances: len(s.Instances), Link: "/services/" + serviceID(s.Service), Leaks: r.site.leaksOf(s.Service),
	}
	for _, i := range s.Instances {
		if i.Scraped && !i.Up && len(d.Down) < toldDown {
			d.Down = append(d.Down, TargetDocument{short(i.Name), machine(i.Since), short(i.Reason)})
		}
	}
	return d
}
