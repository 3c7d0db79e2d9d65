// Package kafka tests the configurations with Kafka between the tiers. It is a module of its own, since
// contrib's Kafka components are available in another version than all others.
package kafka
