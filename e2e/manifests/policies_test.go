package manifests

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// apiServerPort is that of an API server which is not behind the usual 443.
const apiServerPort = 6443

// TestPoliciesLetThoseReachTheAPIServerThatAskIt compares the network policies with the rights.
func TestPoliciesLetThoseReachTheAPIServerThatAskIt(t *testing.T) {
	compared := 0
	for name, objects := range build(t) {
		decoded := decode(t, objects)
		for _, w := range workloads(decoded) {
			policies := policiesOf(t, decoded, w)
			if len(policies) == 0 { // they are left to the user
				continue
			}
			compared++
			asks := slices.Contains(bound(decoded), w.namespace+"/"+w.pod.Spec.ServiceAccountName)
			assert.Equal(t, asks, slices.ContainsFunc(policies, reachesAPIServer), "%s: %s", name, w.name)
		}
	}
	assert.Equal(t, 9, compared)
}

// policiesOf returns the network policies of a pod that limit whom it may reach.
func policiesOf(t *testing.T, objects []runtime.Object, w workload) (found []*networkingv1.NetworkPolicy) {
	t.Helper()
	for _, object := range objects {
		p, ok := object.(*networkingv1.NetworkPolicy)
		if !ok || !slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
			continue
		}
		if selector(t, &p.Spec.PodSelector).Matches(labelsOf(w.pod.ObjectMeta)) {
			found = append(found, p)
		}
	}
	return found
}

func reachesAPIServer(p *networkingv1.NetworkPolicy) bool {
	return slices.ContainsFunc(p.Spec.Egress, func(rule networkingv1.NetworkPolicyEgressRule) bool {
		return len(rule.To) == 0 && slices.ContainsFunc(rule.Ports, func(port networkingv1.NetworkPolicyPort) bool {
			return port.Port != nil && port.Port.IntValue() == apiServerPort
		})
	})
}
