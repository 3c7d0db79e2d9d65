package leakdetect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// storageOf returns the storage extension of that ID. A host knows the extensions that are
// started, those in service::extensions. It knows of none that is defined and not there;
// but one that is there and not defined is refused by the collector itself.
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

// errNoStorage tells what is to be written where, so that a storage is started.
func errNoStorage(host component.Host, id component.ID) error {
	if builds, ok := host.(factories); ok && builds.GetFactory(component.KindExtension, id.Type()) == nil {
		return fmt.Errorf("'storage': this collector has no extension of type %q: one is atomic_file_storage", id.Type())
	}
	said := fmt.Sprintf("'storage': extension %q is not started: add it to service::extensions, "+
		"and define it under extensions if it is not there yet", id)
	if others := storagesOf(host); len(others) > 0 {
		said += "; or name a storage that is started: " + strings.Join(others, ", ")
	}
	return errors.New(said)
}

// factories is a host that knows what the collector was built with, as that of the
// collector does.
type factories interface {
	GetFactory(kind component.Kind, of component.Type) component.Factory
}

// storagesOf returns the IDs of the storages that are started.
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
