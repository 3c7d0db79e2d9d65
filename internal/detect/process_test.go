package detect

import (
	"testing"
	"time"
)

func TestTimeStampsThatAreBelieved(t *testing.T) {
	const ahead, limit = 100 * time.Second, 5000 * time.Second
	type look struct {
		at float64 // s
		ok bool
	}
	for name, looks := range map[string][]look{
		"one after the other":            {{1000, true}, {1050, true}, {1150, true}},
		"a late one":                     {{1000, true}, {1100, true}, {1050, true}, {1200, true}},
		"late ones do not lead back":     {{9000, true}, {9100, true}, {4100, true}, {4099, false}},
		"one that is wrong":              {{1000, true}, {9000, false}, {1050, true}, {9001, false}},
		"one that is a little ahead":     {{1000, true}, {1101, false}, {1050, true}, {1101, true}},
		"a gap":                          {{1000, true}, {1101, false}, {1150, true}, {1200, true}},
		"rare ones":                      {{1000, true}, {2000, false}, {3000, true}, {4000, true}, {7000, true}, {8000, true}, {12000, false}},
		"the same wrong one twice":       {{1000, true}, {9000, false}, {9000, false}},
		"one wrong collection":           {{1000, true}, {9000, false}, {9000.0000002, false}, {9000.05, false}, {1060, true}, {1060.05, true}},
		"a second one agrees":            {{1000, true}, {9000, false}, {9001, true}, {9002, true}},
		"a second one, back in time":     {{9000, true}, {1000, false}, {1001, true}, {1002, true}},
		"a second one that is elsewhere": {{1000, true}, {9000, false}, {20000, false}, {20001, true}},
	} {
		t.Run(name, func(t *testing.T) {
			var p process
			for _, l := range looks {
				at := int64(l.at * float64(time.Second))
				if got := p.admit(at, int64(ahead), int64(limit)); got != l.ok {
					t.Errorf("at %v: %v, want %v", l.at, got, l.ok)
				}
			}
		})
	}
}
