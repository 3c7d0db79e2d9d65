package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"html/template"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var assets embed.FS

// assetNames are the addresses of the assets of a page. Each address contains a part of the hash
// of its content, so that browsers may cache it forever. The style sheet is in the page itself: a
// request for it would delay the first paint.
type assetNames struct{ Script, Icon string }

// asset is a file that is served as it is.
type asset struct {
	content []byte
	kind    string
}

// static are the assets by their address.
var static = sync.OnceValue(func() map[string]asset {
	all := make(map[string]asset)
	for _, f := range [...]struct{ name, kind string }{
		{"page.js", "text/javascript; charset=utf-8"}, {"icon.svg", "image/svg+xml"},
	} {
		content := read(f.name)
		all[address(f.name, content)] = asset{content, f.kind}
	}
	return all
})

var names = sync.OnceValue(func() assetNames {
	return assetNames{
		Script: address("page.js", read("page.js")), Icon: address("icon.svg", read("icon.svg")),
	}
})

func address(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return "/assets/" + strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext
}

// read returns an embedded file, which is there.
func read(name string) []byte {
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is part of the binary
	}
	return content
}

// sheet returns the style sheet.
func sheet() template.CSS { return template.CSS(read("page.css")) } //nolint:gosec // our own style sheet

// sheetHash returns the hash by which a Content-Security-Policy permits the style sheet.
var sheetHash = sync.OnceValue(func() string {
	sum := sha256.Sum256(read("page.css"))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
})

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").ParseFS(assets, "assets/*.html"))
})
