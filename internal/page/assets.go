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

// assetPaths are the URL paths of the assets that a page requests. Each contains a hash of the
// content, so that browsers may cache it forever. The style sheet is inlined in the page, since a
// request for it would delay the first paint.
type assetPaths struct{ Script, Icon string }

// asset is a file that is served unchanged.
type asset struct {
	content     []byte
	contentType string
}

// assetsByPath returns the assets by URL path.
var assetsByPath = sync.OnceValue(func() map[string]asset {
	all := make(map[string]asset)
	for _, f := range [...]struct{ name, contentType string }{
		{"page.js", "text/javascript; charset=utf-8"}, {"icon.svg", "image/svg+xml"},
	} {
		content := readAsset(f.name)
		all[assetPath(f.name, content)] = asset{content, f.contentType}
	}
	return all
})

var pageAssets = sync.OnceValue(func() assetPaths {
	return assetPaths{
		Script: assetPath("page.js", readAsset("page.js")), Icon: assetPath("icon.svg", readAsset("icon.svg")),
	}
})

func assetPath(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	return "/assets/" + strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext
}

// readAsset returns the content of an embedded file.
func readAsset(name string) []byte {
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // a missing file is a defect of the build
	}
	return content
}

func styleSheet() template.CSS { return template.CSS(readAsset("page.css")) } //nolint:gosec // our own style sheet

// styleSheetHash returns the source expression that permits the style sheet in a
// Content-Security-Policy.
var styleSheetHash = sync.OnceValue(func() string {
	sum := sha256.Sum256(readAsset("page.css"))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
})

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").ParseFS(assets, "assets/*.html"))
})
