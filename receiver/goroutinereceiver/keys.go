package goroutinereceiver

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
)

// withoutUnmarshal is confighttp's configuration without its Unmarshal, which
// accepts any key, at any depth, and makes every struct do so that squashes it.
type withoutUnmarshal confighttp.ClientConfig

// refuseUnknownKeys finds the keys that neither confighttp nor the fields of
// config know, so that a misspelt key is an error and not a default.
func refuseUnknownKeys(conf *confmap.Conf, config reflect.Type) error {
	var strict struct {
		HTTP withoutUnmarshal `mapstructure:",squash"`
		Rest map[string]any   `mapstructure:",remain"`
	}
	if err := conf.Unmarshal(&strict); err != nil {
		return err
	}
	var unknown []string
	for key := range strict.Rest {
		if !hasKey(config, key) {
			unknown = append(unknown, fmt.Sprintf("%q", key))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("unknown keys: %s", strings.Join(unknown, ", "))
}

func hasKey(config reflect.Type, key string) bool {
	for field := range config.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case name != "" && name == key:
			return true
		case options == "squash" && hasKey(field.Type, key):
			return true
		}
	}
	return false
}

// refuseUnknownBelow finds the keys below key that into does not know: what
// confighttp's Unmarshal accepts, it accepts at any depth.
func refuseUnknownBelow(conf *confmap.Conf, key string, into any) error {
	below, err := conf.Sub(key)
	if err != nil {
		return err
	}
	if err := below.Unmarshal(into); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}
