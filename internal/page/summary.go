package page

import (
	"math"
	"net/url"

	"github.com/otel-goroutine/otel-goroutine/internal/history"
)

// Documents is a page of findings as JSON.
type Documents struct {
	At       string            `json:"at" doc:"time of the latest data, RFC 3339"`
	Found    int               `json:"found" doc:"number of matching findings"`
	Page     int               `json:"page" doc:"page number from 1, as in the parameter page"`
	Findings []SummaryDocument `json:"findings" doc:"findings on the page, worst first, at most 50"`
}

// SummaryDocument is a finding in a list.
type SummaryDocument struct {
	ID       string          `json:"id" doc:"identity; the complete finding is at /api/findings/{id}"`
	Service  ServiceDocument `json:"service" doc:"service with the leak"`
	Status   string          `json:"status" doc:"open, waiting, closed or over"`
	Severity string          `json:"severity" doc:"suspected, probable or confirmed"`
	Evidence string          `json:"evidence" doc:"evidence in one sentence"`
	Link     string          `json:"link" doc:"path of the page of the finding"`
}

func (r *renderer) documents(q query) Documents {
	found := q.find(r.site)
	d := Documents{At: rfc3339(r.site.At), Found: len(found), Page: q.Page, Findings: []SummaryDocument{}}
	for _, f := range pageOf(found, q.Page) {
		d.Findings = append(d.Findings, SummaryDocument{
			ID: f.ID, Service: ServiceDocument{short(f.Service.Name), short(f.Service.Namespace), short(f.Service.Environment), short(f.Service.Cluster), short(f.Service.K8sNamespace)},
			Status: string(f.Status), Severity: f.Severity.String(), Evidence: truncate(f.Evidence, 4*maxName), Link: "/findings/" + url.PathEscape(f.ID),
		})
	}
	return d
}

// ServiceDocuments is all services as JSON.
type ServiceDocuments struct {
	At       string                   `json:"at" doc:"time of the latest data, RFC 3339"`
	Services []ServiceSummaryDocument `json:"services" doc:"all services, by name"`
}

// ServiceSummaryDocument is a service in a list.
type ServiceSummaryDocument struct {
	Service    ServiceDocument  `json:"service" doc:"service"`
	Standing   string           `json:"standing" doc:"whether the service leaks or is healthy, or why that is unknown"`
	Note       string           `json:"note,omitempty" doc:"explanation of standing"`
	Fine       bool             `json:"fine" doc:"whether the service was watched for long enough and nothing is flagged"`
	Leaks      int              `json:"leaks" doc:"number of open findings"`
	Goroutines float64          `json:"goroutines" doc:"goroutines in all instances"`
	Watched    float64          `json:"watched_seconds" doc:"time from the first data to the latest"`
	Instances  int              `json:"instances" doc:"instances with data within a day"`
	Down       []TargetDocument `json:"down,omitempty" doc:"targets that cannot be scraped, at most ten"`
	Link       string           `json:"link" doc:"path of the page of the service"`
}

// TargetDocument is a target that cannot be scraped.
type TargetDocument struct {
	Name   string `json:"name" doc:"service.instance.id"`
	Since  string `json:"since" doc:"when the target went down, RFC 3339"`
	Reason string `json:"reason" doc:"error.type of the receiver"`
}

// maxDownTargets is the maximum number of targets in a ServiceSummaryDocument.
const maxDownTargets = 10

func (r *renderer) serviceDocuments() ServiceDocuments {
	d := ServiceDocuments{At: rfc3339(r.site.At), Services: []ServiceSummaryDocument{}}
	for i := range r.site.Services {
		d.Services = append(d.Services, r.serviceDocument(&r.site.Services[i]))
	}
	return d
}

func (r *renderer) serviceDocument(s *history.Service) ServiceSummaryDocument {
	standing := r.standing(s)
	d := ServiceSummaryDocument{
		Service:  ServiceDocument{short(s.Service.Name), short(s.Service.Namespace), short(s.Service.Environment), short(s.Service.Cluster), short(s.Service.K8sNamespace)},
		Standing: standing.Text, Note: standing.Note, Fine: standing.healthy, Goroutines: s.Goroutines, Watched: math.Round(s.Last.Sub(s.First).Seconds()),
		Instances: len(s.Instances), Link: "/services/" + serviceID(s.Service), Leaks: r.site.leaksOf(s.Service),
	}
	for _, i := range s.Instances {
		if i.Scraped && !i.Up && len(d.Down) < maxDownTargets {
			d.Down = append(d.Down, TargetDocument{short(i.Name), rfc3339(i.Since), short(i.Reason)})
		}
	}
	return d
}
