package goroutinereceiver

import (
	"errors"
	"fmt"
	"maps"
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
	var errs []error
	known := keysOf(config)
	for _, key := range slices.Sorted(maps.Keys(strict.Rest)) {
		if slices.Contains(known, key) {
			continue
		}
		if similar := mostSimilar(key, known); similar != "" {
			errs = append(errs, fmt.Errorf("unknown key %q, did you mean %q?", key, similar))
			continue
		}
		errs = append(errs, fmt.Errorf("unknown key %q", key))
	}
	return errors.Join(errs...)
}

// keysOf returns the keys of a configuration, with those of structs that it squashes.
func keysOf(config reflect.Type) []string {
	var keys []string
	for field := range config.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		switch {
		case options == "squash":
			keys = append(keys, keysOf(field.Type)...)
		case name != "":
			keys = append(keys, name)
		}
	}
	return keys
}

// mostSimilar returns the known key that shares the longest prefix with key, without underscores,
// or "" if none shares more than half of it.
func mostSimilar(key string, known []string) string {
	var similar string
	key = strings.ReplaceAll(key, "_", "")
	longest := len(key) / 2
	for _, candidate := range known {
		n := 0
		for short := strings.ReplaceAll(candidate, "_", ""); n < len(key) && n < len(short) && key[n] == short[n]; {
			n++
		}
		if n > longest {
			similar, longest = candidate, n
		}
	}
	return similar
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
