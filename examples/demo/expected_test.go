package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// What the table names must be a function of the leaky service, or the table and
// the service have drifted apart.
func TestPlantedFunctionsExist(t *testing.T) {
	files, err := filepath.Glob("../leaky/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source of the service: %v", err)
	}
	functions := make(map[string]bool)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				functions[file.Name.Name+"."+f.Name.Name] = true
			}
		}
	}
	for _, p := range plantedLeaks() {
		if !functions[p.function] {
			t.Errorf("the service has no function %s", p.function)
		}
	}
}
