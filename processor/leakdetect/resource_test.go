package leakdetect

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTimeStampsThatAreBelieved(t *testing.T) {
	const ahead, limit = 100, 5000
	type look struct {
		at         int64
		ok, jumped bool
	}
	for name, looks := range map[string][]look{
		"one after the other":            {{1000, true, true}, {1050, true, false}, {1150, true, false}},
		"a late one":                     {{1000, true, true}, {1100, true, false}, {1050, true, false}, {1200, true, false}},
		"late ones do not lead back":     {{9000, true, true}, {9100, true, false}, {4100, true, false}, {4099, false, false}},
		"one that is wrong":              {{1000, true, true}, {9000, false, false}, {1050, true, false}, {9001, false, false}},
		"one that is a little ahead":     {{1000, true, true}, {1101, false, false}, {1050, true, false}, {1101, true, false}},
		"a gap":                          {{1000, true, true}, {1101, false, false}, {1150, true, true}, {1200, true, false}},
		"rare ones":                      {{1000, true, true}, {2000, false, false}, {3000, true, true}, {4000, true, false}, {7000, true, false}, {8000, true, false}, {12000, false, false}},
		"the same wrong one twice":       {{1000, true, true}, {9000, false, false}, {9000, false, false}},
		"a second one agrees":            {{1000, true, true}, {9000, false, false}, {9001, true, true}, {9002, true, false}},
		"a second one, back in time":     {{9000, true, true}, {1000, false, false}, {1001, true, true}, {1002, true, false}},
		"a second one that is elsewhere": {{1000, true, true}, {9000, false, false}, {20000, false, false}, {20001, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			var r resource
			for _, l := range looks {
				ok, jumped := r.admit(l.at, ahead, limit)
				assert.Equal(t, [2]bool{l.ok, l.jumped}, [2]bool{ok, jumped}, "at %d", l.at)
			}
		})
	}
}

func TestFlagsExplainTheirEntryForAWhile(t *testing.T) {
	var r resource
	r.flag("app.main", 1000)
	r.flag("", 1000)
	assert.True(t, r.explained("app.main", 1100, 100))
	assert.False(t, r.explained("app.main", 1101, 100))
	assert.False(t, r.explained("app.other", 1000, 100))
	assert.False(t, r.explained("", 1000, 100), "the stack was too deep to show it")

	r.last = 1100
	r.forgetEntries(100)
	assert.Len(t, r.entries, 1)
	r.last = 1101
	r.forgetEntries(100)
	assert.Empty(t, r.entries)
}

func TestStreamsAreToldApart(t *testing.T) {
	a, b := id(1), id(3)
	base := a.stream(5, b)
	for name, other := range map[string]id{
		"another resource":          id(9).stream(5, b),
		"another family":            a.stream(6, b),
		"other attributes":          a.stream(5, 9),
		"resource and point change": b.stream(5, a),
	} {
		assert.NotEqual(t, base, other, name)
	}
}
