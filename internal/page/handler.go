package page

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// Provider provides the Site that a Handler serves. An Aggregator is a Provider.
type Provider interface {
	Site(now time.Time) *Site
	// Changed returns a channel that is closed when there is new data.
	Changed() <-chan struct{}
}

// Handler serves a Site as pages and as JSON. It is read-only.
type Handler struct {
	provider Provider
	options  Options
	streams  *streams
	handler  http.Handler
}

// NewHandler returns a Handler. The host of a request must be a loopback address or one of
// allowedHosts.
func NewHandler(p Provider, o Options, allowedHosts []string) *Handler {
	h := &Handler{provider: p, options: o.orDefaults(), streams: newStreams()}
	mux := http.NewServeMux()
	for pattern, serve := range map[string]http.HandlerFunc{
		"/{$}":                    h.serveList,
		"/findings/{id}":          h.serveFinding,
		"/findings/{id}/markdown": h.serveMarkdown,
		"/services":               h.serveServices,
		"/services/{id}":          h.serveService,
		"/api/findings":           h.serveDocuments,
		"/api/findings/{id}":      h.serveDocument,
		"/api/services":           h.serveServiceDocuments,
		"/api/schema.json":        h.serveSchema,
		"/assets/{name}":          h.serveAsset,
		"/":                       h.serveNotFound,
	} {
		mux.HandleFunc(pattern, serve)
	}
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) { h.streams.serve(w, r, p.Changed) })
	h.handler = withSecurityHeaders(rejectCrossSite(allowedHosts, mux))
	return h
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.handler.ServeHTTP(w, r) }

// Close ends the event streams, so that the server can shut down. It is idempotent.
func (h *Handler) Close() { h.streams.close() }

func (h *Handler) renderer() *renderer {
	return &renderer{site: h.provider.Site(time.Now()), options: h.options}
}

// writePage renders a page with the named template.
func (h *Handler) writePage(w http.ResponseWriter, r *http.Request, name string, p pageView) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, p); err != nil {
		http.Error(w, "The page could not be rendered; please report this defect: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	respond(w, r, "text/html; charset=utf-8", b.Bytes())
}

func (h *Handler) serveList(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	h.writePage(w, r, "list", v.page("Findings", "findings", v.list(parseQuery(r.URL.Query()))))
}

func (h *Handler) serveFinding(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	f := v.site.Find(r.PathValue("id"))
	if f == nil {
		h.writeNotFound(w, v, "There is no finding with this ID. It may have ended long ago.")
		return
	}
	h.writePage(w, r, "finding", v.page(placeText(f.Head)+" in "+serviceName(f.Service), "findings", v.detail(f)))
}

func (h *Handler) serveMarkdown(w http.ResponseWriter, r *http.Request) {
	f := h.renderer().site.Find(r.PathValue("id"))
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	respond(w, r, "text/plain; charset=utf-8", []byte(Markdown(f, h.options)))
}

func (h *Handler) serveServices(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	h.writePage(w, r, "services", v.page("Services", "services", v.services()))
}

func (h *Handler) serveService(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	for i := range v.site.Services {
		if s := &v.site.Services[i]; serviceID(s.Service) == r.PathValue("id") {
			h.writePage(w, r, "service", v.page(serviceName(s.Service), "services", v.service(s)))
			return
		}
	}
	h.writeNotFound(w, v, "This service is unknown. A service is forgotten after a day without data.")
}

func (h *Handler) serveNotFound(w http.ResponseWriter, _ *http.Request) {
	h.writeNotFound(w, h.renderer(), "There is no such page.")
}

func (h *Handler) writeNotFound(w http.ResponseWriter, v *renderer, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_ = templates().ExecuteTemplate(w, "missing", v.page("Not found", "", text)) // the status was sent, so an error cannot be reported
}

func (h *Handler) serveAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := assetsByPath()[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	respond(w, r, a.contentType, a.content)
}

func (h *Handler) serveDocument(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	f := v.site.Find(r.PathValue("id"))
	if f == nil {
		h.writeJSON(w, r, http.StatusNotFound, []byte(`{"error":"no finding with this id"}`))
		return
	}
	data, err := v.document(f, r.URL.Query().Get("version"))
	h.writeDocument(w, r, data, err)
}

func (h *Handler) serveDocuments(w http.ResponseWriter, r *http.Request) {
	data, err := json.Marshal(h.renderer().documents(parseQuery(r.URL.Query())))
	h.writeDocument(w, r, data, err)
}

func (h *Handler) serveServiceDocuments(w http.ResponseWriter, r *http.Request) {
	data, err := json.Marshal(h.renderer().serviceDocuments())
	h.writeDocument(w, r, data, err)
}

func (h *Handler) serveSchema(w http.ResponseWriter, r *http.Request) {
	data, err := schema()
	h.writeDocument(w, r, data, err)
}

// writeDocument writes an encoded document, or its encoding error.
func (h *Handler) writeDocument(w http.ResponseWriter, r *http.Request, data []byte, err error) {
	if err != nil {
		http.Error(w, "The response could not be encoded; please report this defect: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h.writeJSON(w, r, http.StatusOK, data)
}

func (h *Handler) writeJSON(w http.ResponseWriter, r *http.Request, status int, data []byte) {
	w.Header().Set("Cache-Control", "no-store")
	if status != http.StatusOK {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(data) //nolint:gosec // it is JSON; an error means that the client is gone
		return
	}
	respond(w, r, "application/json", data)
}
