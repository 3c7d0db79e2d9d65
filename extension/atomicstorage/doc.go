// Package atomicstorage is a collector extension in which components store state over a
// restart, in one file for each client. A write creates a new file, syncs it and renames it,
// so that there is always a complete file.
//
// It suits components that write a little often or much rarely. Each write costs as much as
// all values of the client, so a queue of large batches should use a database, such as the
// file_storage extension.
package atomicstorage

//go:generate mdatagen metadata.yaml
