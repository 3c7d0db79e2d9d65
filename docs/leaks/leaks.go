// Package leaks holds the pages about leaks of this folder, for programs that show them.
package leaks

import "embed"

// Pages are the pages, a Markdown file for each state.
//
//go:embed *.md
var Pages embed.FS
