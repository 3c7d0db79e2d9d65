package manifests

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// apiServerPort is the port of an API server that is not at 443.
const apiServerPort = 6443

// TestPoliciesPermitAPIServer checks that network policies permit connections to the API server exactly to the
// pods whose service account has a role.
func TestPoliciesPermitAPIServer(t *testing.T) {
	compared := 0
	for name, objects := range build(t) {
		decoded := decode(t, objects)
		for _, w := range workloads(decoded) {
			policies := policiesOf(t, decoded, w)
			if len(policies) == 0 { // the user sets policies
				continue
			}
			compared++
			hasRole := slices.Contains(bound(decoded), w.namespace+"/"+w.pod.Spec.ServiceAccountName)
			assert.Equal(t, hasRole, slices.ContainsFunc(policies, reachesAPIServer), "%s: %s", name, w.name)
		}
	}
	assert.Equal(t, 9, compared)
}

// policiesOf returns the egress policies of a pod.
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
