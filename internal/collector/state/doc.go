// Package state saves the state of a collector component in a storage extension.
package state
