// Package kafka tests the configurations that have Kafka between the tiers, in a module of its
// own: contrib's components for Kafka are served in another version than all others.
package kafka
