package page

import (
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Source makes links to source lines.
type Source struct {
	// Template is the URL of a line of a service's own code, with the placeholders {file}, {base},
	// {package}, {line}, {revision}, {version} and {service}. If empty, there are links only if
	// the package is on GitHub and the revision is known.
	Template string
}

// sourceLine is a line of source code.
type sourceLine struct {
	function, file string
	line           int
}

// link returns the https URL of a line in a version of a service, empty if unknown.
func (s Source) link(at sourceLine, service finding.Service, v finding.Version) string {
	if at.file == "" || at.line <= 0 || len(at.file)+len(at.function)+len(service.Name)+len(v.Name)+len(v.Revision) > maxLink {
		return ""
	}
	if m := moduleFile.FindStringSubmatch(at.file); m != nil {
		return httpsURL(moduleLink(m[1], m[2], m[3], at.line))
	}
	if s.Template != "" {
		return httpsURL(s.expand(at, service, v))
	}
	repository, folder, ok := githubRepository(packageOf(at.function))
	if !ok || !isRevision.MatchString(v.Revision) {
		return ""
	}
	return httpsURL("https://" + repository + "/blob/" + v.Revision + "/" + path.Join(folder, url.PathEscape(path.Base(at.file))) + "#L" + strconv.Itoa(at.line))
}

// isRevision matches the revisions of version control that are allowed in a link.
var isRevision = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// placeholder matches a placeholder of a template.
var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// expand replaces the placeholders of the template. It returns an empty string if a value is
// unknown.
func (s Source) expand(at sourceLine, service finding.Service, v finding.Version) string {
	values := map[string]string{
		"{file}": strings.TrimPrefix(at.file, "/"), "{base}": path.Base(at.file), "{package}": packageOf(at.function),
		"{line}": strconv.Itoa(at.line), "{revision}": v.Revision, "{version}": v.Name, "{service}": service.Name,
	}
	empty := false
	expanded := placeholder.ReplaceAllStringFunc(s.Template, func(name string) string {
		value, known := values[name]
		empty = empty || known && value == ""
		return escapePath(value)
	})
	if empty {
		return ""
	}
	return expanded
}

// escapePath escapes a path except its slashes, and removes dot segments.
func escapePath(p string) string {
	var parts []string
	for part := range strings.SplitSeq(p, "/") {
		if part != ".." && part != "." {
			parts = append(parts, url.PathEscape(part))
		}
	}
	return strings.Join(parts, "/")
}

// httpsURL returns link, escaped, if it is a valid https URL of at most maxLink bytes, else an
// empty string.
func httpsURL(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	if link = u.String(); len(link) > maxLink {
		return ""
	}
	return link
}

// maxLink is the maximum length of a link, in bytes. Servers reject longer ones.
const maxLink = 2000

// moduleFile matches a file of a dependency: module, version and path. The module begins with a
// domain, after the module cache if the build did not trim paths.
var moduleFile = regexp.MustCompile(`(?:^|/)([a-z0-9-]+(?:\.[a-z0-9-]+)+/[^@]*)@(v[0-9][^/]*)/(.+)$`)

// pseudoVersion matches the revision at the end of a pseudo-version.
var pseudoVersion = regexp.MustCompile(`[-.]\d{14}-([0-9a-f]{12})$`)

// majorVersion matches a major version suffix, which is not a folder of the repository.
var majorVersion = regexp.MustCompile(`/v\d+$`)

// moduleLink returns the URL of a line of a dependency, empty if it is not on GitHub.
func moduleLink(module, version, file string, line int) string {
	module = strings.Replace(unescapeModulePath(module), "golang.org/x/", "github.com/golang/", 1)
	repository, folder, ok := githubRepository(majorVersion.ReplaceAllString(module, ""))
	if !ok {
		return ""
	}
	ref := strings.TrimSuffix(version, "+incompatible")
	if m := pseudoVersion.FindStringSubmatch(ref); m != nil {
		ref = m[1]
	} else if folder != "" {
		ref = folder + "/" + ref
	}
	return "https://" + repository + "/blob/" + escapePath(ref) + "/" + escapePath(path.Join(folder, file)) + "#L" + strconv.Itoa(line)
}

// githubRepository returns the repository and the folder of a package; false if the package is
// not on GitHub.
func githubRepository(name string) (repository, folder string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) < 3 || parts[0] != "github.com" {
		return "", "", false
	}
	for i, part := range parts {
		if part == "" || part == "." || part == ".." {
			return "", "", false
		}
		parts[i] = url.PathEscape(part)
	}
	rest := parts[3:]
	if len(rest) > 0 && majorVersion.MatchString("/"+rest[0]) {
		rest = rest[1:]
	}
	return strings.Join(parts[:3], "/"), strings.Join(rest, "/"), true
}

// packageOf returns the import path of a function.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/')
	dot := strings.IndexByte(function[slash+1:], '.')
	if dot < 0 {
		return function
	}
	return function[:slash+1+dot]
}

// unescapeModulePath undoes the escaping of upper case letters in the module cache: "!a" is "A".
func unescapeModulePath(module string) string {
	return escapedUpper.ReplaceAllStringFunc(module, func(s string) string { return strings.ToUpper(s[1:]) })
}

var escapedUpper = regexp.MustCompile(`![a-z]`)
