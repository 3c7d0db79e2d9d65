package stack

import _ "embed" // for the list

// standardPackages lists every package of the standard library of Go 1.22 to 1.27, a line
// each. genstandard keeps it.
//
//go:embed standard.txt
var standardPackages string
