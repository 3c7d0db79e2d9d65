//go:build !unix

package atomicstorage

// syncDirectory does nothing: directories cannot be synced on this platform.
func syncDirectory(string) error { return nil }
