package stack

import _ "embed" // for the list

// standardPackages lists the packages of the standard library of Go 1.22 to 1.27, one a line.
// genstandard generates it.
//
//go:embed standard.txt
var standardPackages string
