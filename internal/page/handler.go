package page

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

// Live is what a Handler serves. A Memory is one.
type Live interface {
	Site(now time.Time) *Site
	// Changed returns a channel that is closed when there is something new.
	Changed() <-chan struct{}
}

// Handler serves the page, and the same as JSON. It only reads.
type Handler struct {
	live    Live
	options Options
	streams *streams
	chain   http.Handler
}

// NewHandler returns a Handler. Requests must name a loopback address as their host, or one
// of the allowed hosts.
func NewHandler(live Live, o Options, allowedHosts []string) *Handler {
	h := &Handler{live: live, options: o.orDefaults(), streams: newStreams()}
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
		"/":                       h.serveNothing,
	} {
		mux.HandleFunc(pattern, serve)
	}
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) { h.streams.serve(w, r, live.Changed) })
	h.chain = secured(guard(allowedHosts, mux))
	return h
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.chain.ServeHTTP(w, r) }

// Close ends the streams of events, so that the server can end.
func (h *Handler) Close() { h.streams.close() }

func (h *Handler) renderer() *renderer {
	return &renderer{site: h.live.Site(time.Now()), options: h.options}
}

// show answers with a page.
func (h *Handler) show(w http.ResponseWriter, r *http.Request, name string, p pageView) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, p); err != nil {
		http.Error(w, "The page could not be made; please report this defect: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	respond(w, r, "text/html; charset=utf-8", b.Bytes())
}

func (h *Handler) serveList(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	h.show(w, r, "list", v.page("Findings", "findings", v.list(parseQuery(r.URL.Query()))))
}

func (h *Handler) serveFinding(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	f := v.site.Find(r.PathValue("id"))
	if f == nil {
		h.missing(w, v, "There is no finding with this identity. It may have been over for long.")
		return
	}
	h.show(w, r, "finding", v.page(at(f.Head)+" in "+serviceName(f.Service), "findings", v.detail(f)))
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
	h.show(w, r, "services", v.page("Services", "services", v.services()))
}

func (h *Handler) serveService(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	for i := range v.site.Services {
		if s := &v.site.Services[i]; serviceID(s.Service) == r.PathValue("id") {
			h.show(w, r, "service", v.page(serviceName(s.Service), "services", v.service(s)))
			return
		}
	}
	h.missing(w, v, "Nothing is known of this service. Nothing may have come of it for a day.")
}

func (h *Handler) serveNothing(w http.ResponseWriter, _ *http.Request) {
	h.missing(w, h.renderer(), "There is nothing at this address.")
}

func (h *Handler) missing(w http.ResponseWriter, v *renderer, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_ = templates().ExecuteTemplate(w, "missing", v.page("Not found", "", text)) // the status is out already
}

func (h *Handler) serveAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := static()[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	respond(w, r, a.kind, a.content)
}

func (h *Handler) serveDocument(w http.ResponseWriter, r *http.Request) {
	v := h.renderer()
	f := v.site.Find(r.PathValue("id"))
	if f == nil {
		h.answer(w, r, http.StatusNotFound, []byte(`{"error":"no finding with this id"}`))
		return
	}
	data, err := v.document(f, r.URL.Query().Get("version"))
	h.answerJSON(w, r, data, err)
}

func (h *Handler) serveDocuments(w http.ResponseWriter, r *http.Request) {
	data, err := json.Marshal(h.renderer().documents(parseQuery(r.URL.Query())))
	h.answerJSON(w, r, data, err)
}

func (h *Handler) serveServiceDocuments(w http.ResponseWriter, r *http.Request) {
	data, err := json.Marshal(h.renderer().serviceDocuments())
	h.answerJSON(w, r, data, err)
}

func (h *Handler) serveSchema(w http.ResponseWriter, r *http.Request) {
	data, err := schema()
	h.answerJSON(w, r, data, err)
}

func (h *Handler) answerJSON(w http.ResponseWriter, r *http.Request, data []byte, err error) {
	if err != nil {
		http.Error(w, "The answer could not be made; please report this defect: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h.answer(w, r, http.StatusOK, data)
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request, status int, data []byte) {
	w.Header().Set("Cache-Control", "no-store")
	if status != http.StatusOK {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(data) //nolint:gosec // it is JSON, and a client that is gone needs nothing
		return
	}
	respond(w, r, "application/json", data)
}
