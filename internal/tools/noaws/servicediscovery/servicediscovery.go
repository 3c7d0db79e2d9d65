// Package servicediscovery stands in for the client of AWS Cloud Map in our collectors. The
// load-balancing exporter can find its backends there, by 4 MB of the AWS SDK that a collector for
// goroutine leaks has no use for. It has what the exporter refers to. All calls fail.
package servicediscovery

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
)

var errAbsent = errors.New("aws_cloud_map is not part of this distribution: use another resolver of load_balancing, such as static or dns")

// Client is a client that answers nothing.
type Client struct{}

// NewFromConfig returns the client, whatever the configuration is.
func NewFromConfig[Config any](Config) *Client { return &Client{} }

// DiscoverInstances returns an error.
func (*Client) DiscoverInstances(context.Context, *DiscoverInstancesInput) (*DiscoverInstancesOutput, error) {
	return nil, errAbsent
}

// DiscoverInstancesInput is what the exporter asks for.
type DiscoverInstancesInput struct {
	NamespaceName, ServiceName, OwnerAccount *string
	HealthStatus                             types.HealthStatusFilter
	MaxResults                               *int32
	OptionalParameters, QueryParameters      map[string]string
}

// DiscoverInstancesOutput is what it would be answered.
type DiscoverInstancesOutput struct {
	Instances []struct{ Attributes map[string]string }
}
