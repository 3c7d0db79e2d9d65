package instrument

import (
	"bytes"
	"encoding/hex"
	"os"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// The build is that of this binary, and what is not known of it has no attribute.
func TestBuildAttributes(t *testing.T) {
	known := map[string]string{}
	for _, a := range buildAttributes() {
		known[string(a.Key)] = a.Value.AsString()
	}
	for key, value := range known {
		if value == "" || value == "(devel)" {
			t.Errorf("%s is %q", key, value)
		}
	}
	id := known[telemetry.AttrBuildID]
	if id == "" {
		t.Skip("a test binary has no build ID here")
	}
	raw, err := hex.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content, raw) {
		t.Errorf("%s is not in the binary", id)
	}
}
