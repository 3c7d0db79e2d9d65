package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestDrawingIsCurrent(t *testing.T) {
	committed, err := os.ReadFile(filepath.Join("..", "..", "docs", "census.svg"))
	if err != nil {
		t.Fatal(err)
	}
	var drawn bytes.Buffer
	if err := draw(&drawn); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(drawn.Bytes(), committed) {
		t.Error("docs/census.svg is not current (make detect-bench)")
	}
}
