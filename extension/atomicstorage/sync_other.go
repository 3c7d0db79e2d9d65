//go:build !unix

package atomicstorage

// syncDirectory does nothing: directories cannot be synced here.
func syncDirectory(string) error { return nil }
