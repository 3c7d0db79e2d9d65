package stack

import "strings"

// displayName returns the name of a function in signatures: without type arguments and the
// linker's escapes.
//
//	gopkg.in/yaml%2ev3.Do[go.shape.int].func1  ->  gopkg.in/yaml.v3.Do[...].func1
func displayName(function string) string {
	function = shorten(function)
	if strings.IndexByte(function, '%') < 0 {
		return function
	}
	path := linkedPath(function)
	// The escapes may hide characters that Clean replaces.
	return Clean(unescape(path) + function[len(path):])
}

// shorten removes the type arguments from a function's name. A profile names the shapes that
// the function was compiled for, a trace does not.
//
//	main.Do[go.shape.*example.com/a/b.T_0].func1  ->  main.Do[...].func1
func shorten(function string) string {
	from := strings.IndexByte(function, '[')
	if from < 0 {
		return function
	}
	to := strings.LastIndexByte(function, ']')
	if to < from || function[from:to+1] == "[...]" {
		return function
	}
	return function[:from] + "[...]" + function[to+1:]
}

// splitName splits the name of a function into the unescaped import path and the rest, which
// begins with a dot.
//
//	net/http.(*conn).serve                   ->  net/http          .(*conn).serve
//	gopkg.in/yaml%2ev3.Unmarshal             ->  gopkg.in/yaml.v3  .Unmarshal
//	example.com/a/b.Map[...].func1           ->  example.com/a/b   .Map[...].func1
//	main.Do[go.shape.*example.com/a/b.T_0]   ->  main              .Do[go.shape.*...
func splitName(function string) (path, name string) {
	linked := linkedPath(function)
	name = function[len(linked):]
	if strings.IndexByte(linked, '%') < 0 {
		return linked, name
	}
	return unescape(linked), name
}

// linkedPath returns the import path in the name of a function as written by the linker.
func linkedPath(function string) string {
	if bracket := strings.IndexByte(function, '['); bracket >= 0 {
		function = function[:bracket]
	}
	slash := strings.LastIndexByte(function, '/') + 1
	dot := strings.IndexByte(function[slash:], '.')
	if dot < 0 {
		return function
	}
	return function[:slash+dot]
}

// unescape undoes the linker's escapes in an import path: %xx for a byte that is not allowed in
// a symbol name (cmd/internal/objabi.PathToPrefix).
func unescape(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			if hi, lo := hexDigit(path[i+1]), hexDigit(path[i+2]); hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

func hexDigit(c byte) int {
	return strings.IndexByte("0123456789abcdef", c)
}
