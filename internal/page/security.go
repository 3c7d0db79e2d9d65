package page

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// rejectCrossSite rejects requests of pages from other sites. Such a page could read everything
// under a name that resolves to a loopback address (DNS rebinding). So Host must be a loopback
// address or one of the allowed hosts, and so must Origin if the browser sends one.
func rejectCrossSite(allowed []string, next http.Handler) http.Handler {
	hosts := make(map[string]bool, len(allowed))
	for _, host := range allowed {
		hosts[strings.ToLower(host)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		switch {
		case !isAllowedHost(hosts, r.Host):
			http.Error(w, "This page is not served under the name "+quote(r.Host)+". List it in allowed_hosts.", http.StatusMisdirectedRequest)
		case origin != "" && !isAllowedOrigin(hosts, origin):
			http.Error(w, "Pages from "+quote(origin)+" must not read this page.", http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This page is read-only.", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isAllowedHost reports whether a host is a loopback address or allowed, with its port or for
// every port.
func isAllowedHost(hosts map[string]bool, host string) bool {
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
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && isAllowedHost(hosts, u.Host)
}

// quote returns a name from a request in quotes, short and in ASCII.
func quote(name string) string {
	const maxLength = 100
	name = truncate(name, maxLength)
	return `"` + strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name) + `"`
}

// contentSecurityPolicy permits files of this server and the inlined style sheet, and nothing
// else.
func contentSecurityPolicy() string {
	return "default-src 'none'; style-src " + styleSheetHash() + "; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// withSecurityHeaders adds headers that isolate a page from other sites. There is no
// Cross-Origin-Opener-Policy: it makes the browser start another process for the page, which delays
// the first paint by 25 ms, and a site that opens the page in a window gains nothing.
func withSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for key, value := range map[string]string{
			"Content-Security-Policy": contentSecurityPolicy(), "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			w.Header().Set(key, value)
		}
		next.ServeHTTP(w, r)
	})
}
