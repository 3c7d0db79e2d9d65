package auto

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
)

const (
	keyServiceName       = attribute.Key("service.name")
	keyServiceInstanceID = attribute.Key("service.instance.id")
)

// newResource returns the resource of this process. Its service.instance.id is random, since
// replicas with the same ID, or without one, look like a single process. The environment takes
// precedence.
func newResource(ctx context.Context) (*resource.Resource, error) {
	found, err := resource.New(ctx,
		resource.WithAttributes(keyServiceInstanceID.String(uuid.NewString())),
		resource.WithHost(), resource.WithProcessPID(), resource.WithFromEnv())
	switch {
	case errors.Is(err, resource.ErrPartialResource), errors.Is(err, resource.ErrSchemaURLConflict):
		otel.Handle(fmt.Errorf("instrument/auto: %w", err)) // use what was found
	case err != nil:
		return nil, err
	}
	return resource.Merge(resource.Default(), found)
}

// serviceName returns the service.name of a resource.
func serviceName(r *resource.Resource) string {
	name, _ := r.Set().Value(keyServiceName)
	return name.AsString()
}
