package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/otel-goroutine/otel-goroutine/bench/internal/result"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTableIsCurrent checks that the table, its quotations and the drawing agree with the results.
func TestTableIsCurrent(t *testing.T) {
	root := filepath.Join("..", "..")
	files, err := render(root)
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s is not current: go -C bench run ./table", name)
	}
}

// TestQuoteDetectsDifference changes a figure.
func TestQuoteDetectsDifference(t *testing.T) {
	parts := []part{{"detecting", result.Results{Rows: []result.Row{
		result.Beside("a point", "µs", 0.5, 2),
		{Name: "memory", Unit: "byte", Value: 1},
	}}}}
	want := "| detecting | | peer | ratio |\n|---|---|---|---|\n| a point | 0.5 µs | 2 µs | 0.25 |\n| memory | 1 byte |  |  |\n"
	require.Equal(t, want, table(parts))
	readme := "before\n" + quoteBegin + want + quoteEnd + "\nafter\n"
	quoted, err := quote(readme, table(parts))
	require.NoError(t, err)
	assert.Equal(t, readme, quoted)
	parts[0].Rows[0].Value = 0.6
	quoted, err = quote(readme, table(parts))
	require.NoError(t, err)
	assert.NotEqual(t, readme, quoted)
	_, err = quote("nothing is quoted", "")
	require.Error(t, err)
}

// TestDrawingIsWellFormed draws growth with a known exponent.
func TestDrawingIsWellFormed(t *testing.T) {
	growth := []result.Point{{Number: 100, Cores: 1}, {Number: 1000, Cores: 10}, {Number: 10_000, Cores: 100}}
	assert.InDelta(t, 1, result.Exponent(growth), 1e-9)
	growth[2].Cores = 1000
	assert.InDelta(t, 1.5, result.Exponent(growth), 1e-9)
	var drawing bytes.Buffer
	require.NoError(t, draw(&drawing, []part{{"a", result.Results{Growth: growth}}, {"b", result.Results{Growth: growth}}, {"c", result.Results{}}}))
	decoder := xml.NewDecoder(&drawing)
	circles := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "circle" {
			circles++
		}
	}
	assert.Equal(t, 6, circles)
}

func TestNumbersAreShort(t *testing.T) {
	for value, want := range map[float64]string{
		0.001: "below 0.01", 0.0349: "0.035", 1: "1", 3.125: "3.1", 31: "31", 312.9: "310", 31_290: "31,000", 3_129_000: "3.1 million", 187_749_000: "190 million",
	} {
		assert.Equal(t, want, short(value), value)
	}
	for bytes, want := range map[float64]string{100: "100 B", 5.3e6: "5.1 MiB", 1.1e12: "1 TiB"} {
		assert.Equal(t, want, size(bytes), bytes)
	}
}
