package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// storageOf returns the storage extension with an ID. The collector rejects an undefined ID in
// service::extensions, so an extension is missing here only if it is not in that list.
func storageOf(host component.Host, id component.ID) (storage.Extension, error) {
	extension, started := host.GetExtensions()[id]
	if !started {
		return nil, errNoStorage(host, id)
	}
	provider, ok := extension.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("'storage': extension %q is not a storage extension, as atomic_file_storage is", id)
	}
	return provider, nil
}

// errNoStorage returns an error that says what to add to the configuration.
func errNoStorage(host component.Host, id component.ID) error {
	if builds, ok := host.(factories); ok && builds.GetFactory(component.KindExtension, id.Type()) == nil {
		return fmt.Errorf("'storage': this collector has no extension of type %q; the type of a storage extension is, for example, atomic_file_storage", id.Type())
	}
	text := fmt.Sprintf("'storage': extension %q is not started: add it to service::extensions, "+
		"and define it under extensions if it is not there yet", id)
	if others := storagesOf(host); len(others) > 0 {
		text += "; or use a storage extension that is started: " + strings.Join(others, ", ")
	}
	return errors.New(text)
}

// factories is implemented by the host of the collector service. GetFactory returns nil for a type
// that the collector was not built with.
type factories interface {
	GetFactory(kind component.Kind, componentType component.Type) component.Factory
}

// storagesOf returns the IDs of the started storage extensions, sorted.
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
