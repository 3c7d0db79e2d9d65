// Package config replaces the package of the AWS SDK in the collector distribution. See package
// servicediscovery.
package config

import "context"

// Config is an empty configuration.
type Config struct{}

// Option has no effect.
type Option struct{}

// WithDefaultRegion returns an Option without effect.
func WithDefaultRegion(string) Option { return Option{} }

// LoadDefaultConfig returns an empty configuration.
func LoadDefaultConfig(context.Context, ...Option) (Config, error) { return Config{}, nil }
