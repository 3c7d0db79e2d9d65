// Package atomicstorage is a collector extension in which components keep what they
// remember over a restart: one file for each client, which is written anew beside the
// old one, synced and renamed, so that whatever happens there is a whole one.
//
// It suits components that write a little often or much rarely. Each write costs as
// much as all that the client has stored, so a queue of large batches is better kept by
// a database, such as the file_storage extension.
package atomicstorage

//go:generate mdatagen metadata.yaml
