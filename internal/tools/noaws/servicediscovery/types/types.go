// Package types has the types of the configuration of aws_cloud_map.
package types

// HealthStatusFilter selects instances by their health.
type HealthStatusFilter string

// HealthStatusFilterHealthy is the default of the exporter.
const HealthStatusFilterHealthy HealthStatusFilter = "HEALTHY"
