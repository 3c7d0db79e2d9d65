package readmetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadme(t *testing.T) {
	t.Chdir("testdata")
	assert.Equal(t, []string{"| `limit` | `1` |\n", "| `limit` | 2 |\n"}, Rows(t, "limit"))
	CheckExamples(t, "processors::example", 1, func() component.Config {
		return &struct {
			Limit int `mapstructure:"limit"`
		}{}
	})
	CheckTelemetry(t)
}
