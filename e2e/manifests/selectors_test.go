package manifests

import (
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

func labelsOf(meta metav1.ObjectMeta) labels.Set { return meta.Labels }

// selectorsOf returns the pod selectors of an object.
func selectorsOf(t *testing.T, object runtime.Object) []labels.Selector {
	t.Helper()
	switch o := object.(type) {
	case *corev1.Service:
		return []labels.Selector{labels.SelectorFromSet(o.Spec.Selector)}
	case *policyv1.PodDisruptionBudget:
		return []labels.Selector{selector(t, o.Spec.Selector)}
	case *networkingv1.NetworkPolicy:
		found := []labels.Selector{selector(t, &o.Spec.PodSelector)}
		for _, rule := range o.Spec.Ingress {
			for _, peer := range rule.From {
				if peer.PodSelector != nil {
					found = append(found, selector(t, peer.PodSelector))
				}
			}
		}
		return found
	case *monitoringv1.PodMonitor:
		return []labels.Selector{selector(t, &o.Spec.Selector)}
	default:
		return nil
	}
}

func selector(t *testing.T, s *metav1.LabelSelector) labels.Selector {
	t.Helper()
	parsed, err := metav1.LabelSelectorAsSelector(s)
	require.NoError(t, err)
	return parsed
}
