// Package leaks embeds the pages about leaks in this folder.
package leaks

import "embed"

// Pages has a Markdown file for each state.
//
//go:embed *.md
var Pages embed.FS
