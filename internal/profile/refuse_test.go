package profile

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// refused requires that Decode refuses data with an error that wraps want, and returns its text.
func refused(t *testing.T, data []byte, want error) (says string) {
	t.Helper()
	s, err := Decode(data, plenty)
	if s != nil || !errors.Is(err, want) {
		t.Fatalf("got %v and %v, want %v", s, err, want)
	}
	checkError(t, err)
	return err.Error()
}

// checkError checks that an error of Decode wraps one sentinel and is one line of text.
func checkError(t *testing.T, err error) {
	t.Helper()
	kinds := 0
	for _, kind := range []error{ErrNotProfile, ErrOtherProfile, ErrTooLarge, ErrMalformed} {
		if errors.Is(err, kind) {
			kinds++
		}
	}
	if kinds != 1 {
		t.Errorf("%v is of %d kinds", err, kinds)
	}
	if m := err.Error(); len(m) > 200 || !isPrintable(m) {
		t.Errorf("not a line of 200 bytes: %q", m)
	}
}

func isPrintable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func TestRefusesWhatIsNoProfile(t *testing.T) {
	var text, stacks, tr bytes.Buffer
	for debug, b := range map[int]*bytes.Buffer{1: &text, 2: &stacks} {
		if err := pprof.Lookup("goroutine").WriteTo(b, debug); err != nil {
			t.Fatal(err)
		}
	}
	if err := trace.Start(&tr); err != nil {
		t.Fatal(err)
	}
	trace.Stop()
	for _, tc := range []struct {
		name, says string
		body       []byte
	}{
		{"nothing", "an empty body", nil},
		{"HTML", "HTML", []byte("\n <!DOCTYPE html>\n<html><body>Sign in</body></html>")},
		{"HTML of an old kind", "HTML", []byte("<HTML><TITLE>proxy</TITLE>")},
		{"debug=1", "debug=1", text.Bytes()},
		{"debug=2", "debug=2", stacks.Bytes()},
		{"execution trace", "execution trace", tr.Bytes()},
		{"gzip in gzip", "gzip within gzip", compress(t, message{}.then(small()...))},
		{"not found", `text that begins with "404 page not found\n"`, []byte("404 page not found\n")},
		{"JSON", "text that begins with", []byte(`{"error": "forbidden"}`)},
		{"text in another language", "text that begins with", []byte("Zugriff verweigert: überprüfen Sie Ihre Berechtigungen")},
		{"much text", "text that begins with", bytes.Repeat([]byte("forbidden "), 1<<19)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, data := range [][]byte{tc.body, compress(t, tc.body)} {
				if tc.name == "gzip in gzip" {
					data = compress(t, tc.body)
				}
				if got := refused(t, data, ErrNotProfile); !strings.Contains(got, tc.says) {
					t.Errorf("%q does not say %q", got, tc.says)
				}
			}
		})
	}
}

func TestRefusesGoroutinesForLeaks(t *testing.T) {
	_, err := DecodeLeaks(goProfile(t, "goroutine"), plenty)
	if !errors.Is(err, ErrOtherProfile) || !strings.Contains(err.Error(), `samples are "goroutine" in "count", want "goroutineleak"`) {
		t.Error(err)
	}
}

func TestRefusesOtherProfiles(t *testing.T) {
	for name, says := range map[string]string{
		"heap": `"alloc_objects" in "count" and 3 more`, "allocs": `"alloc_objects" in "count"`,
		"block": `"contentions" in "count" and 1 more`, "mutex": `"contentions" in "count"`,
		"threadcreate": `"threadcreate" in "count"`, "cpu": `"samples" in "count"`,
	} {
		t.Run(name, func(t *testing.T) {
			if got := refused(t, goProfile(t, name), ErrOtherProfile); !strings.Contains(got, says) {
				t.Errorf("%q does not say %s", got, says)
			}
		})
	}
	t.Run("strings first", func(t *testing.T) {
		refused(t, someStrings("", "space", "bytes").then(aSampleType(1, 2)), ErrOtherProfile)
	})
	t.Run("unit", func(t *testing.T) { refused(t, with(0, aSampleType(1, 3)), ErrOtherProfile) })
	t.Run("hostile names", func(t *testing.T) {
		refused(t, aSampleType(1, 1).then(someStrings("", strings.Repeat("\xff\n", 500))), ErrOtherProfile)
	})
	t.Run("goroutines and something else", func(t *testing.T) {
		refused(t, with(0, aSampleType(1, 2).then(aSampleType(1, 2))), ErrOtherProfile)
	})
}

// goProfile returns a profile of this process.
func goProfile(t *testing.T, name string) []byte {
	t.Helper()
	var b bytes.Buffer
	if name != "cpu" {
		if err := pprof.Lookup(name).WriteTo(&b, 0); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if err := pprof.StartCPUProfile(&b); err != nil {
		t.Fatal(err)
	}
	pprof.StopCPUProfile()
	return b.Bytes()
}

func TestRefusesMalformedProfiles(t *testing.T) {
	sample := func(m message) message { return message{}.bytes(2, m) }
	deep := make([]uint64, maxFrames+1)
	for i := range deep {
		deep[i] = 1
	}
	wide := make([]message, maxFrames/2+1)
	for i := range wide {
		wide[i] = aLine(1, 1)
	}
	for name, body := range map[string]message{
		"bytes that are no field":        {0x01},
		"field 0":                        {0x00, 0x01},
		"bytes in field 0":               message{0x02, 0x00}.then(small()...),
		"zeros":                          make(message, 1000),
		"a group":                        {0x0b, 0x0c},
		"a length beyond the end":        {0x12, 0x7f, 0x00},
		"a number of eleven bytes":       append(message{0x48}, bytes.Repeat([]byte{0xff}, 11)...),
		"no sample type":                 with(0, nil),
		"no strings":                     with(8, nil),
		"a first string":                 with(8, someStrings("a", "goroutine", "count", "runtime.gopark", "main.leaf", "main.root", "main.go", "/app")),
		"damaged sample type":            with(0, message{}.bytes(1, []byte{0x08})),
		"sample type out of range":       with(0, aSampleType(1, 8)),
		"sample type far out of range":   with(0, aSampleType(math.MaxUint64, 2)),
		"samples that are numbers":       after(message{}.number(2, 1).bytes(2, nil)),
		"empty sample":                   after(sample(nil)),
		"damaged sample":                 after(sample(message{0x0a, 0x05, 0x01})),
		"damaged locations":              after(sample(message{}.bytes(1, []byte{0x80}).number(2, 1))),
		"sample without a count":         after(sample(message{}.packed(1, 1, 2))),
		"sample with two counts":         after(sample(message{}.packed(1, 1, 2).packed(2, 1, 1))),
		"sample with two single counts":  after(sample(message{}.packed(1, 1, 2).number(2, 1).number(2, 1))),
		"negative count":                 after(aSample(math.MaxUint64, 1, 2)),
		"counts overflow":                after(aSample(math.MaxInt64, 1, 2)),
		"location 0":                     after(aSample(1, 1, 0)),
		"location out of range":          after(aSample(1, 1, 3)),
		"location far out of range":      after(aSample(1, 1, math.MaxUint64)),
		"sparse location out of range":   after(aLocation(9, aLine(1, 1)).then(aSample(1, 8))),
		"location without ID":            after(aLocation(0, aLine(1, 1))),
		"location without line":          after(aLocation(3)),
		"damaged location":               after(message{}.bytes(4, []byte{0x22, 0x01})),
		"damaged line":                   after(aLocation(3, message{0x08})),
		"two locations with one ID":      after(aLocation(1, aLine(1, 1))),
		"line without function":          after(aLocation(3, aLine(0, 1))),
		"function out of range":          after(aLocation(3, aLine(4, 1))),
		"line number out of range":       after(aLocation(3, aLine(1, 1<<31))),
		"negative line number":           after(aLocation(3, aLine(1, math.MaxUint64))),
		"function without ID":            after(aFunction(0, 3, 6)),
		"two functions with one ID":      after(aFunction(1, 3, 6)),
		"damaged function":               after(message{}.bytes(5, []byte{0x08})),
		"name out of range":              after(aFunction(4, 8, 6)),
		"system name out of range":       after(message{}.bytes(5, message{}.number(1, 4).number(3, 8))),
		"path out of range":              after(aFunction(4, 3, math.MaxUint64)),
		"damaged mapping":                after(message{}.bytes(3, []byte{0x28})),
		"path of a mapping out of range": with(2, aMapping(8)),
		"a stack too deep":               after(aSample(1, deep...)),
		"a stack too deep by inlining":   after(aLocation(3, wide...).then(aSample(1, 3, 3))),
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, body, ErrMalformed)
			refused(t, compress(t, body), ErrMalformed)
			// Repeat it with a body that is long enough to be audited.
			long := padding(longBody).then(body)
			refused(t, long, ErrMalformed)
			refused(t, compress(t, long), ErrMalformed)
		})
	}
}

func TestRefusesDamagedGzip(t *testing.T) {
	sound := compress(t, message{}.then(small()...))
	flip := func(i int) []byte {
		b := bytes.Clone(sound)
		b[(i+len(b))%len(b)] ^= 0x55
		return b
	}
	for name, data := range map[string][]byte{
		"header only":     sound[:2],
		"method":          flip(2),
		"checksum":        flip(-8),
		"size":            flip(-4),
		"data":            flip(12),
		"two streams":     append(bytes.Clone(sound), sound...),
		"something after": append(bytes.Clone(sound), 0),
	} {
		t.Run(name, func(t *testing.T) { refused(t, data, ErrMalformed) })
	}
}

// A profile that was cut short must not be accepted as a smaller one. Go writes the
// strings last, and of these the ones that mappings refer to.
func TestRefusesProfilesThatAreCutShort(t *testing.T) {
	fixture, err := os.ReadFile(filepath.Join("testdata", "go1.26.pb.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for name, zipped := range map[string][]byte{"Go": fixture, "pprof": gzipped(t, service(30))} {
		t.Run(name, func(t *testing.T) {
			cutShort(t, zipped, 100)
			cutShort(t, gunzip(t, zipped), 100)
		})
	}
	// Try every byte at the end, where the last strings are.
	plain := gunzip(t, fixture)
	for n := len(plain) - 200; n < len(plain); n++ {
		if s, err := Decode(plain[:n], plenty); err == nil {
			t.Errorf("%d bytes of %d make %d groups", n, len(plain), len(s.Groups))
		}
	}
}

func cutShort(t *testing.T, data []byte, step int) {
	t.Helper()
	for n := 0; n < len(data); n += step {
		if s, err := Decode(data[:n], plenty); err == nil {
			t.Fatalf("%d bytes of %d make a snapshot of %d groups", n, len(data), len(s.Groups))
		}
	}
}
