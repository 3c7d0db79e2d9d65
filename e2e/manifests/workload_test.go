package manifests

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// workload is the pod of a DaemonSet, a StatefulSet or a Deployment.
type workload struct {
	name string
	pod  corev1.PodTemplateSpec
}

func workloads(objects []runtime.Object) (found []workload) {
	for _, object := range objects {
		switch o := object.(type) {
		case *appsv1.DaemonSet:
			found = append(found, workload{o.Name, o.Spec.Template})
		case *appsv1.StatefulSet:
			found = append(found, workload{o.Name, o.Spec.Template})
		case *appsv1.Deployment:
			found = append(found, workload{o.Name, o.Spec.Template})
		}
	}
	return found
}

// TestPodsAreRestricted holds every pod to the strictest standard of Kubernetes for pods, and
// to a file system that is read-only.
func TestPodsAreRestricted(t *testing.T) {
	standard, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	require.NoError(t, err)
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	pods := 0
	for name, objects := range build(t) {
		for _, w := range workloads(decode(t, objects)) {
			pods++
			for _, result := range standard.EvaluatePod(restricted, &w.pod.ObjectMeta, &w.pod.Spec) {
				assert.True(t, result.Allowed, "%s: %s: %s: %s", name, w.name, result.ForbiddenReason, result.ForbiddenDetail)
			}
			for _, container := range append(w.pod.Spec.InitContainers, w.pod.Spec.Containers...) {
				require.NotNil(t, container.SecurityContext, "%s: %s", name, container.Name)
				readOnly := container.SecurityContext.ReadOnlyRootFilesystem
				assert.True(t, readOnly != nil && *readOnly, "%s: %s: the root file system of %s", name, w.name, container.Name)
			}
			if !strings.HasPrefix(w.name, "goroutine-agent") { // it alone asks the API server
				token := w.pod.Spec.AutomountServiceAccountToken
				assert.True(t, token != nil && !*token, "%s: %s has a token", name, w.name)
			}
		}
	}
	assert.Equal(t, 9, pods)
}

// TestAgentsListAndWatchPodsAlone sees that nothing else is granted to anybody.
func TestAgentsListAndWatchPodsAlone(t *testing.T) {
	want := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list", "watch"}}}
	all := build(t)
	for _, name := range []string{"base", "overlays/prometheus", "overlays/namespace", "operator", "helm/agent.yaml"} {
		granted, bound := 0, 0
		for _, object := range decode(t, all[name]) {
			switch o := object.(type) {
			case *rbacv1.ClusterRole:
				assert.NotEqual(t, "overlays/namespace", name, "a team may not have it")
				assert.Equal(t, want, o.Rules, name)
				granted++
			case *rbacv1.Role:
				assert.Equal(t, want, o.Rules, name)
				granted++
			case *rbacv1.ClusterRoleBinding:
				bound += boundAgents(o.Subjects, "otel-goroutine")
			case *rbacv1.RoleBinding:
				bound += boundAgents(o.Subjects, "shop")
			}
		}
		assert.Equal(t, 1, granted, name)
		assert.Equal(t, 1, bound, name)
	}
}

func boundAgents(subjects []rbacv1.Subject, namespace string) (n int) {
	for _, s := range subjects {
		if s.Kind == "ServiceAccount" && s.Name == "goroutine-agent" && s.Namespace == namespace {
			n++
		}
	}
	return n
}

// TestSelectorsMeetPods sees that each Service, PodDisruptionBudget and so on is about a pod
// that there is.
func TestSelectorsMeetPods(t *testing.T) {
	for name, objects := range build(t) {
		if name == "monitoring" { // it has no pods
			continue
		}
		decoded := decode(t, objects)
		pods := workloads(decoded)
		for _, object := range decoded {
			for _, selector := range selectorsOf(t, object) {
				met := false
				for _, w := range pods {
					met = met || selector.Matches(labelsOf(w.pod.ObjectMeta))
				}
				assert.True(t, met, "%s: %T %s selects no pod: %s", name, object, object.(metav1.Object).GetName(), selector)
			}
		}
	}
}
