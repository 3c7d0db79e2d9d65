// Package config stands in for the package of the AWS SDK; see package servicediscovery beside it.
package config

import "context"

// Config is a configuration without content.
type Config struct{}

// Option changes nothing.
type Option struct{}

// WithDefaultRegion returns an option that changes nothing.
func WithDefaultRegion(string) Option { return Option{} }

// LoadDefaultConfig returns the configuration without content.
func LoadDefaultConfig(context.Context, ...Option) (Config, error) { return Config{}, nil }
