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

// assetNames are the addresses of what a page needs. Each has a part of its hash, so that
// browsers may keep it for ever.
type assetNames struct{ Style, Script, Icon string }

// asset is a file that is served as it is.
type asset struct {
	content []byte
	kind    string
}

// static are the assets by their address.
var static = sync.OnceValue(func() map[string]asset {
	all := make(map[string]asset)
	for _, f := range [...]struct{ name, kind string }{
		{"page.css", "text/css; charset=utf-8"}, {"page.js", "text/javascript; charset=utf-8"}, {"icon.svg", "image/svg+xml"},
	} {
		content := read(f.name)
		all[address(f.name, content)] = asset{content, f.kind}
	}
	return all
})

var names = sync.OnceValue(func() assetNames {
	return assetNames{
		Style: address("page.css", read("page.css")), Script: address("page.js", read("page.js")), Icon: address("icon.svg", read("icon.svg")),
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

// sheet is the style sheet as a file has it in itself, and sheetHash what its policy allows.
func sheet() string { return string(read("page.css")) }

func sheetHash() string {
	sum := sha256.Sum256(read("page.css"))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").ParseFS(assets, "assets/*.html"))
})
