package targetlist

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func endpoints(list List) (all []string) {
	for _, t := range list.Targets {
		all = append(all, t.Endpoint)
	}
	return all
}

func TestLists(t *testing.T) {
	tests := []struct {
		name   string
		format Format
		text   string
		want   []string
	}{
		{"json", JSON, `[{"targets": ["10.0.0.5:6060", "[fd00::5]:6060"], "labels": {"job": "cart"}}, {"targets": ["b:1"]}]`, []string{"http://10.0.0.5:6060/debug/pprof", "http://[fd00::5]:6060/debug/pprof", "http://b:1/debug/pprof"}},
		{"keys of others", JSON, ` [ {"targets": ["a:1"], "source": "x"} ] `, []string{"http://a:1/debug/pprof"}},
		{"no group", JSON, `[]`, nil},
		{"no target", JSON, `[{"targets": []}, {"labels": {"job": "cart"}}, {}]`, nil},
		{"null", JSON, `null`, nil},
		{"yaml", YAML, "- targets: [a:1, b:2]\n  labels: {job: cart, shard: 7}\n- targets:\n  - c:3\n", []string{"http://a:1/debug/pprof", "http://b:2/debug/pprof", "http://c:3/debug/pprof"}},
		{"json as yaml", YAML, `[{"targets": ["a:1"], "labels": {}}]`, []string{"http://a:1/debug/pprof"}},
		{"no group in yaml", YAML, "[]\n", nil},
		{"lines", Lines, "10.0.0.5:6060\n10.0.0.6:6060", []string{"http://10.0.0.5:6060/debug/pprof", "http://10.0.0.6:6060/debug/pprof"}},
		{"no line", Lines, "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list, err := test.format([]byte(test.text), nil)
			require.NoError(t, err)
			assert.Equal(t, test.want, endpoints(list))
			assert.Zero(t, list.Problems)
		})
	}
}

func TestInvalidLists(t *testing.T) {
	whole := `[{"targets": ["a:1"], "labels": {"job": "cart"}}, {"targets": ["b:1"]}]`
	for cut := range len(whole) {
		_, err := JSON([]byte(whole[:cut]), nil)
		require.Error(t, err, "the first %d bytes", cut)
	}
	for _, test := range []struct {
		format     Format
		text, want string
	}{
		{JSON, "", "empty"},
		{JSON, "  \n", "empty"},
		{JSON, `{"targets": ["a:1"]}`, "not a list of targets"},
		{JSON, `"a:1"`, "not a list of targets"},
		{JSON, "<html>", "not JSON, or cut off"},
		{JSON, `[]x`, "unexpected data after the list"},
		{JSON, `[] []`, "unexpected data after the list"},
		{JSON, `null null`, "unexpected data after the list"},
		{JSON, `[1, "a:1", [2]]`, "all targets of the list are invalid: a group must be"},
		{JSON, `[{"targets": ["a b:1", ":1", "c"]}]`, "all targets of the list are invalid"},
		{YAML, "", "empty"},
		{YAML, "targets: [a:1]\n", "not a list of targets"},
		{YAML, "- targets: [a:1\n", "not a list of targets"},
		{YAML, "- targets: {a: 1}\n", "not a list of targets"},
		{YAML, "\x00", "not a list of targets"},
	} {
		_, err := test.format([]byte(test.text), nil)
		assert.ErrorContains(t, err, test.want, test.text)
	}
}

// TestInvalidPartsAreSkipped checks that the valid targets remain.
func TestInvalidPartsAreSkipped(t *testing.T) {
	list, err := JSON([]byte(`[
		{"targets": ["a:1", "user:secret@b:1", "b:1/debug/pprof/heap?x", "c:99999", "d", ""]},
		{"targets": "e:1"}, {"targets": [1]}, {"targets": ["f:1"], "labels": {"n": 1}}, 7,
		{"targets": ["g:1"], "labels": {"__scheme__": "ftp"}},
		{"targets": ["h:1"], "labels": {"__metrics_path__": "/x?y=1"}},
		{"targets": ["i:1"], "labels": {"__metrics_path__": "/debug/pprof/goroutine"}},
		{"targets": ["z:1"]}
	]`), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"http://a:1/debug/pprof", "http://z:1/debug/pprof"}, endpoints(list))
	assert.Equal(t, 12, list.Problems)
	assert.ErrorContains(t, list.Problem, "the address must be host:port")
}

func TestBounds(t *testing.T) {
	for _, test := range []struct {
		name   string
		format Format
		text   []byte
		want   string
	}{
		{"64 MiB", JSON, append(append([]byte(`[{"targets": ["a:1"]}]`), bytes.Repeat([]byte{' '}, MaxSize-30)...), "        "...), "fewer than 67108864 bytes"},
		{"8 MiB of YAML", YAML, bytes.Repeat([]byte("- targets: [a:1]\n"), MaxSizeYAML/17+1), "in YAML it must have fewer than 8388608 bytes"},
		{"1,000,000 targets in a group", JSON, []byte(`[{"targets": [` + strings.Repeat(`"10.20.30.40:6060",`, 999_999) + `"a:1"]}]`), "more than 250000 targets"},
		{"1,000,000 groups", JSON, []byte("[" + strings.Repeat(`{"targets": ["10.20.30.40:6060"]},`, 999_999) + `{}]`), "more than 250000 targets"},
		{"groups of nothing", JSON, []byte("[" + strings.Repeat("{},", MaxTargets) + "{}]"), "more than 250000 targets"},
		{"labels", JSON, []byte(`[{"labels": {` + manyLabels(500_000) + `"b":""}}]`), "a group has more than 1000 labels"},
		{"invalid elements", JSON, []byte(`[{"targets": [` + strings.Repeat("0,", MaxTargets) + "0]}]"), "more than 250000 targets"},
		{"nodes of YAML", YAML, []byte("- targets: [" + strings.Repeat("0,", MaxSizeYAML/2-10) + "a:1]"), "fewer than 500000 lines and commas"},
		{"many nodes of YAML", YAML, []byte("- targets: [" + strings.Repeat("[],", maxItemsYAML-2) + "a:1]"), "not a list"},
		{"targets in YAML", YAML, []byte("- targets: [" + strings.Repeat("a:1,", MaxTargets) + "a:1]"), "more than 250000 targets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			_, err := test.format(test.text, nil)
			runtime.ReadMemStats(&after)
			require.ErrorContains(t, err, test.want)
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d MiB of text took %d MiB", len(test.text)>>20, allocated)
			assert.LessOrEqual(t, allocated, uint64(400), "MiB")
		})
	}
}

func manyLabels(count int) string {
	var labels strings.Builder
	for i := range count {
		fmt.Fprintf(&labels, `"n%d":"",`, i)
	}
	return labels.String()
}

// FuzzJSON checks that JSON neither panics nor returns an invalid target.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`[{"targets": ["10.0.0.5:6060"], "labels": {"job": "cart", "__scheme__": "https"}}]`))
	f.Add([]byte(`[{"targets": ["a:1", "b"], "labels": {"__meta_kubernetes_pod_annotation_otel_goroutine_pprof_port": "1"}}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) { checkFormat(t, JSON, text) })
}

// FuzzYAML is FuzzJSON for YAML.
func FuzzYAML(f *testing.F) {
	f.Add([]byte("- targets: [10.0.0.5:6060]\n  labels: {job: cart, __metrics_path__: /pprof}\n"))
	f.Add([]byte("- &a {targets: [a:1]}\n- *a\n"))
	f.Fuzz(func(t *testing.T, text []byte) { checkFormat(t, YAML, text) })
}

func checkFormat(t *testing.T, format Format, text []byte) {
	t.Helper()
	list, err := format(text, Labels{"service.name": "cart"})
	if err != nil {
		if len(list.Targets) > 0 {
			t.Fatal("targets and an error")
		}
		return
	}
	if (list.Problems > 0) != (list.Problem != nil) {
		t.Fatalf("%d problems, the first is %v", list.Problems, list.Problem)
	}
	for _, target := range list.Targets {
		again, err := FromEndpoint(target.Endpoint)
		if err != nil || again.ID != target.ID || again.Endpoint != target.Endpoint {
			t.Fatalf("%+v becomes %+v when parsed again, %v", target, again, err)
		}
		if target.ServiceName == "" || len(target.Attributes) > maxAttributes {
			t.Fatalf("%+v", target)
		}
		for key, value := range target.Attributes {
			if nonAttributes[key] || !isPlain(key, maxName) || !isPlain(value, maxValue) {
				t.Fatalf("attribute %q: %q", key, value)
			}
		}
	}
}

func BenchmarkJSON(b *testing.B) {
	var list strings.Builder
	list.WriteString("[")
	for i := range 5000 {
		if i > 0 {
			list.WriteString(",")
		}
		fmt.Fprintf(&list, `{"targets": ["10.0.%d.%d:6060"], "labels": {"__meta_kubernetes_pod_name": "cart-%d"`, i/250, i%250, i)
		for label := range 40 {
			fmt.Fprintf(&list, `, "__meta_kubernetes_pod_label_some_label_%d": "value of label %d"`, label, label)
		}
		list.WriteString("}}")
	}
	list.WriteString("]")
	b.SetBytes(int64(list.Len()))
	for b.Loop() {
		parsed, err := JSON([]byte(list.String()), nil)
		require.NoError(b, err)
		require.Len(b, parsed.Targets, 5000)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/5000, "µs/target")
}
