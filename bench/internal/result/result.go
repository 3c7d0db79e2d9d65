// Package result defines the format of benchmark results: figures with units, the figures of a peer in the same run,
// the machine and the versions.
package result

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// Results has the results of one run.
type Results struct {
	Machine  string            `json:"machine"`
	Versions map[string]string `json:"versions"` // of Go, and of each peer
	Rows     []Row             `json:"rows"`
	// Growth is the cost by number of watched targets or streams.
	Growth []Point `json:"growth,omitempty"`
}

// Point is the cost of a number of targets or streams.
type Point struct {
	Number int     `json:"number"`
	Cores  float64 `json:"cores"`
}

// Exponent returns the exponent of the power law by which the cost grows: the slope of the regression line through
// the logarithms.
func Exponent(growth []Point) float64 {
	var n, x, y, xx, xy float64
	for _, p := range growth {
		u, v := math.Log(float64(p.Number)), math.Log(p.Cores)
		n, x, y, xx, xy = n+1, x+u, y+v, xx+u*u, xy+u*v
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

// Row is one figure.
type Row struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	// Peer is the value of the peer in Name, Ratio is Value/Peer. Both are 0 without a peer.
	Peer  float64 `json:"peer,omitempty"`
	Ratio float64 `json:"ratio,omitempty"`
}

// Beside returns a row with its peer.
func Beside(name, unit string, value, peer float64) Row {
	return Row{Name: name, Unit: unit, Value: value, Peer: peer, Ratio: value / peer}
}

// OfThisMachine adds the machine and the versions of Go and of the given modules.
func (r Results) OfThisMachine(modules ...string) (Results, error) {
	r.Versions = map[string]string{"go": runtime.Version()}
	var err error
	if r.Machine, err = machine(); err != nil {
		return Results{}, err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Results{}, fmt.Errorf("the binary has no versions of %s", strings.Join(modules, ", "))
	}
	for _, module := range modules {
		for _, d := range info.Deps {
			if d.Path == module {
				r.Versions[module] = d.Version
			}
		}
		if r.Versions[module] == "" {
			return Results{}, fmt.Errorf("%s is not in the binary", module)
		}
	}
	return r, nil
}

// machine returns the processor, the number of cores and the operating system.
func machine() (string, error) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	model := "unknown processor"
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH), nil
}

// Read reads the results in a file.
func Read(file string) (Results, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Results{}, err
	}
	var r Results
	if err := json.Unmarshal(content, &r); err != nil {
		return Results{}, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

// Write writes the results to a file.
func (r Results) Write(file string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(content, '\n'), 0o644)
}

// String returns the row as a line of text.
func (r Row) String() string {
	line := fmt.Sprintf("%-72s %8.3g %s", r.Name, r.Value, r.Unit)
	if r.Peer == 0 {
		return line
	}
	return fmt.Sprintf("%s, peer %.3g, ratio %.2f", line, r.Peer, r.Ratio)
}
