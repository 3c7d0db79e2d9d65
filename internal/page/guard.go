package page

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard refuses requests that a page from elsewhere makes. A name of its own that resolves to
// a loopback address would let it read everything; so Host must be a loopback address, or one
// that is listed, and so must Origin, where a browser sends one.
func guard(allowed []string, next http.Handler) http.Handler {
	hosts := make(map[string]bool, len(allowed))
	for _, host := range allowed {
		hosts[strings.ToLower(host)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		switch {
		case !isAllowed(hosts, r.Host):
			http.Error(w, "This page is not served under the name "+quoted(r.Host)+". List it in allowed_hosts.", http.StatusMisdirectedRequest)
		case origin != "" && !isAllowedOrigin(hosts, origin):
			http.Error(w, "Pages of "+quoted(origin)+" may not read this one.", http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This page can only be read.", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isAllowed reports whether a host is a loopback address or listed, with its port or without.
func isAllowed(hosts map[string]bool, host string) bool {
	host = strings.ToLower(host)
	if hosts[host] {
		return true
	}
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.Trim(name, "[]")
	if name == "localhost" || hosts[name] {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback()
}

func isAllowedOrigin(hosts map[string]bool, origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && isAllowed(hosts, u.Host)
}

// quoted returns a name from a request as it may be told again.
func quoted(name string) string {
	const most = 100
	name = shortened(name, most)
	return `"` + strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name) + `"`
}

// policy returns the Content-Security-Policy. It permits what this server serves and the style
// sheet in the page, and no other script or style in a page.
func policy() string {
	return "default-src 'none'; style-src " + sheetHash() + "; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// secured adds the headers that isolate a page from other sites. There is no
// Cross-Origin-Opener-Policy: it makes the browser start another process for the page, which delays
// the first paint by 25 ms, and a window that another site has opened gives it nothing here.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for key, value := range map[string]string{
			"Content-Security-Policy": policy(), "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			w.Header().Set(key, value)
		}
		next.ServeHTTP(w, r)
	})
}
