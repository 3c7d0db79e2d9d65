package goroutinereceiver

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
)

// withoutUnmarshal is confighttp's configuration without its Unmarshal method. That accepts any
// key at any depth, and makes structs that squash it do the same.
type withoutUnmarshal confighttp.ClientConfig

// refuseUnknownKeys returns an error for keys that neither confighttp nor the fields of config
// have, so that a misspelled key is not ignored.
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

// refuseUnknownBelow returns an error for keys below key that are not in into, since confighttp's
// Unmarshal accepts them.
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
