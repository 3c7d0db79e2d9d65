package page

import (
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
)

// Source makes links to lines of source.
type Source struct {
	// Template is a URL with {file}, {base}, {package}, {line}, {revision}, {version} and
	// {service}, for the code of services. If empty, only services of which the packages are
	// on GitHub and the revision is known have links.
	Template string
}

// line is a line of source.
type line struct {
	function, file string
	line           int
}

// link returns the URL of a line in a version of a service, empty if it is not known. Only
// https URLs are returned.
func (s Source) link(at line, of finding.Service, v finding.Version) string {
	if at.file == "" || at.line <= 0 || len(at.file)+len(at.function)+len(of.Name)+len(v.Name)+len(v.Revision) > maxLink {
		return ""
	}
	if m := moduleFile.FindStringSubmatch(at.file); m != nil {
		return secure(moduleLink(m[1], m[2], m[3], at.line))
	}
	if s.Template != "" {
		return secure(s.fill(at, of, v))
	}
	repository, folder, ok := onGitHub(packageOf(at.function))
	if !ok || !isRevision.MatchString(v.Revision) {
		return ""
	}
	return secure("https://" + repository + "/blob/" + v.Revision + "/" + path.Join(folder, path.Base(at.file)) + "#L" + strconv.Itoa(at.line))
}

// isRevision matches the revisions of version control that may become part of a link.
var isRevision = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// placeholder matches what the values of a link take the place of.
var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func (s Source) fill(at line, of finding.Service, v finding.Version) string {
	values := map[string]string{
		"{file}": strings.TrimPrefix(at.file, "/"), "{base}": path.Base(at.file), "{package}": packageOf(at.function),
		"{line}": strconv.Itoa(at.line), "{revision}": v.Revision, "{version}": v.Name, "{service}": of.Name,
	}
	empty := false
	filled := placeholder.ReplaceAllStringFunc(s.Template, func(name string) string {
		value, known := values[name]
		empty = empty || known && value == ""
		return escapePath(value)
	})
	if empty {
		return "" // a link to a revision that is not known leads nowhere
	}
	return filled
}

// escapePath escapes a path, but not its slashes. Steps upwards are taken out.
func escapePath(p string) string {
	var parts []string
	for part := range strings.SplitSeq(p, "/") {
		if part != ".." && part != "." {
			parts = append(parts, url.PathEscape(part))
		}
	}
	return strings.Join(parts, "/")
}

// secure returns a URL if it is one of https, and empty if not.
func secure(link string) string {
	if len(link) > maxLink {
		return ""
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// maxLink is how long a link may be, in bytes: servers refuse longer ones.
const maxLink = 2000

// moduleFile matches a file of a dependency: module, version and path. The module begins with
// a domain, after the folder of downloaded modules if there is one.
var moduleFile = regexp.MustCompile(`(?:^|/)([a-z0-9-]+(?:\.[a-z0-9-]+)+/[^@]*)@(v[0-9][^/]*)/(.+)$`)

// pseudo matches the revision at the end of a version that has no tag.
var pseudo = regexp.MustCompile(`[-.]\d{14}-([0-9a-f]{12})$`)

// major matches the folder of a major version, which is in no repository.
var major = regexp.MustCompile(`/v\d+$`)

func moduleLink(module, version, file string, line int) string {
	module = strings.Replace(unescape(module), "golang.org/x/", "github.com/golang/", 1)
	repository, folder, ok := onGitHub(major.ReplaceAllString(module, ""))
	if !ok {
		return ""
	}
	ref := strings.TrimSuffix(version, "+incompatible")
	if m := pseudo.FindStringSubmatch(ref); m != nil {
		ref = m[1]
	} else if folder != "" {
		ref = folder + "/" + ref
	}
	return "https://" + repository + "/blob/" + escapePath(ref) + "/" + escapePath(path.Join(folder, file)) + "#L" + strconv.Itoa(line)
}

// onGitHub returns the repository and the folder of a package.
func onGitHub(name string) (repository, folder string, ok bool) {
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
	if len(rest) > 0 && major.MatchString("/"+rest[0]) {
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

// unescape undoes what the module cache does to upper case letters: "!a" is "A".
func unescape(module string) string {
	return escaped.ReplaceAllStringFunc(module, func(s string) string { return strings.ToUpper(s[1:]) })
}

var escaped = regexp.MustCompile(`![a-z]`)
