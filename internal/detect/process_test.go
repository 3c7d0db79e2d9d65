package detect

import (
	"testing"
	"time"
)

func TestTimeStampsThatAreBelieved(t *testing.T) {
	const ahead, limit = 100 * time.Second, 5000 * time.Second
	type look struct {
		at     float64 // s
		ok     bool
		waited float64 // s
	}
	for name, looks := range map[string][]look{
		"one after the other":            {{1000, true, 0}, {1050, true, 0}, {1150, true, 0}},
		"a late one":                     {{1000, true, 0}, {1100, true, 0}, {1050, true, 0}, {1200, true, 0}},
		"late ones do not lead back":     {{9000, true, 0}, {9100, true, 0}, {4100, true, 0}, {4099, false, 0}},
		"one that is wrong":              {{1000, true, 0}, {9000, false, 0}, {1050, true, 0}, {9001, false, 0}},
		"one that is a little ahead":     {{1000, true, 0}, {1101, false, 0}, {1050, true, 0}, {1101, true, 0}},
		"a gap":                          {{1000, true, 0}, {1101, false, 0}, {1150, true, 0}, {1200, true, 0}},
		"a gap for which nothing came":   {{1000, true, 0}, {2050, true, 1000}, {5300, false, 60}},
		"a wrong one after a gap":        {{1000, true, 0}, {9000, false, 1000}, {2000, true, 1060}},
		"limit, whatever was waited for": {{1000, true, 0}, {9000, false, 8000}, {9001, true, 60}},
		"rare ones":                      {{1000, true, 0}, {2000, false, 0}, {3000, true, 0}, {4000, true, 0}, {7000, true, 0}, {8000, true, 0}, {12000, false, 0}},
		"the same wrong one twice":       {{1000, true, 0}, {9000, false, 0}, {9000, false, 0}},
		"one wrong collection":           {{1000, true, 0}, {9000, false, 0}, {9000.0000002, false, 0}, {9000.05, false, 0}, {1060, true, 0}, {1060.05, true, 0}},
		"a second one agrees":            {{1000, true, 0}, {9000, false, 0}, {9001, true, 0}, {9002, true, 0}},
		"a second one, back in time":     {{9000, true, 0}, {1000, false, 0}, {1001, true, 0}, {1002, true, 0}},
		"a second one that is elsewhere": {{1000, true, 0}, {9000, false, 0}, {20000, false, 0}, {20001, true, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			var p process
			for _, l := range looks {
				at := int64(l.at * float64(time.Second))
				if got := p.admit(at, int64(ahead), int64(l.waited*float64(time.Second)), int64(limit)); got != l.ok {
					t.Errorf("at %v: %v, want %v", l.at, got, l.ok)
				}
			}
		})
	}
}
