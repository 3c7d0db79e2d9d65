package page

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// minGzipSize is the minimum size of a compressed response, in bytes: the payload of a packet.
const minGzipSize = 1400

// respond writes a response with status 200, compressed if the client accepts that.
func respond(w http.ResponseWriter, r *http.Request, contentType string, content []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Add("Vary", "Accept-Encoding")
	if len(content) >= minGzipSize && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(content)
		if closeErr := z.Close(); err == nil && closeErr == nil {
			h.Set("Content-Encoding", "gzip")
			content = b.Bytes()
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) //nolint:gosec // a template or JSON escaped the content; an error means that the client is gone
	}
}

// acceptsGzip reports whether the value of an Accept-Encoding header has gzip with a weight above
// 0.
func acceptsGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.0")
		}
	}
	return false
}
