package exectrace

import "testing"

// FuzzDecode changes real traces. Whatever comes of that, there is an error of a
// known kind or a snapshot that is sound in itself.
func FuzzDecode(f *testing.F) {
	for _, data := range fixtures(f) {
		f.Add(data)
	}
	f.Add([]byte("<html>"))
	f.Add([]byte(newTrace(go126)))
	f.Add([]byte(newTrace(go123).batch(1, running()).tables()))
	f.Add([]byte(append(newTrace(go126).batch(1, running()).tablesOf(1, go126), evEndOfGeneration)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(data)
		if err != nil {
			if s != nil {
				t.Error("both a snapshot and an error")
			}
			checkError(t, err)
			return
		}
		check(t, s)
	})
}
