// Package servicediscovery replaces the client of AWS Cloud Map in the collector distribution. The
// aws_cloud_map resolver of the load-balancing exporter would add 4 MB of the AWS SDK. The package
// has the declarations that the exporter uses. All calls return an error that names other resolvers.
package servicediscovery

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
)

var errAbsent = errors.New("aws_cloud_map is not part of this distribution: use another resolver of load_balancing, such as static or dns")

// Client is a client whose calls fail.
type Client struct{}

// NewFromConfig returns a Client. It ignores the configuration.
func NewFromConfig[Config any](Config) *Client { return &Client{} }

// DiscoverInstances returns an error.
func (*Client) DiscoverInstances(context.Context, *DiscoverInstancesInput) (*DiscoverInstancesOutput, error) {
	return nil, errAbsent
}

// DiscoverInstancesInput has the fields that the exporter sets.
type DiscoverInstancesInput struct {
	NamespaceName, ServiceName, OwnerAccount *string
	HealthStatus                             types.HealthStatusFilter
	MaxResults                               *int32
	OptionalParameters, QueryParameters      map[string]string
}

// DiscoverInstancesOutput has the fields that the exporter reads.
type DiscoverInstancesOutput struct {
	Instances []struct{ Attributes map[string]string }
}
