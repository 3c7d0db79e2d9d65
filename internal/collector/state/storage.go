package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// storageOf returns the storage extension with an ID. The collector itself refuses an ID in
// service::extensions that is not defined, so that an extension is missing here only if it is
// not in service::extensions.
func storageOf(host component.Host, id component.ID) (storage.Extension, error) {
	extension, started := host.GetExtensions()[id]
	if !started {
		return nil, errNoStorage(host, id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("'storage': extension %q is no storage, such as atomic_file_storage is", id)
	}
	return provider, nil
}

// errNoStorage says what to add to the configuration so that the storage is started.
func errNoStorage(host component.Host, id component.ID) error {
	if builds, ok := host.(factories); ok && builds.GetFactory(component.KindExtension, id.Type()) == nil {
		return fmt.Errorf("'storage': this collector has no extension of type %q: one is atomic_file_storage", id.Type())
	}
	text := fmt.Sprintf("'storage': extension %q is not started: add it to service::extensions, "+
		"and define it under extensions if it is not there yet", id)
	if others := storagesOf(host); len(others) > 0 {
		text += "; or name a storage that is started: " + strings.Join(others, ", ")
	}
	return errors.New(text)
}

// factories is implemented by the host of the collector service. It returns the factories that
// the collector was built with.
type factories interface {
	GetFactory(kind component.Kind, of component.Type) component.Factory
}

// storagesOf returns the IDs of the storage extensions that are started.
func storagesOf(host component.Host) []string {
	var ids []string
	for id, extension := range host.GetExtensions() {
		if _, ok := extension.(storage.Extension); ok {
			ids = append(ids, id.String())
		}
	}
	slices.Sort(ids)
	return ids
}
