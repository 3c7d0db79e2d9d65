package manifests

import (
	"slices"
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
	namespace, name string
	pod             corev1.PodTemplateSpec
}

func workloads(objects []runtime.Object) (found []workload) {
	for _, object := range objects {
		switch o := object.(type) {
		case *appsv1.DaemonSet:
			found = append(found, workload{o.Namespace, o.Name, o.Spec.Template})
		case *appsv1.StatefulSet:
			found = append(found, workload{o.Namespace, o.Name, o.Spec.Template})
		case *appsv1.Deployment:
			found = append(found, workload{o.Namespace, o.Name, o.Spec.Template})
		}
	}
	return found
}

// TestPodsAreRestricted checks that every pod complies with the restricted Pod Security Standard and has a
// read-only root file system.
func TestPodsAreRestricted(t *testing.T) {
	standard, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	require.NoError(t, err)
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	pods := 0
	for name, objects := range build(t) {
		decoded := decode(t, objects)
		for _, w := range workloads(decoded) {
			pods++
			for _, result := range standard.EvaluatePod(restricted, &w.pod.ObjectMeta, &w.pod.Spec) {
				assert.True(t, result.Allowed, "%s: %s: %s: %s", name, w.name, result.ForbiddenReason, result.ForbiddenDetail)
			}
			for _, container := range append(w.pod.Spec.InitContainers, w.pod.Spec.Containers...) {
				require.NotNil(t, container.SecurityContext, "%s: %s", name, container.Name)
				readOnly := container.SecurityContext.ReadOnlyRootFilesystem
				assert.True(t, readOnly != nil && *readOnly, "%s: %s: the root file system of %s", name, w.name, container.Name)
			}
			if !slices.Contains(bound(decoded), w.namespace+"/"+w.pod.Spec.ServiceAccountName) { // does not call the API server
				token := w.pod.Spec.AutomountServiceAccountToken
				assert.True(t, token != nil && !*token, "%s: %s has a token", name, w.name)
			}
		}
	}
	assert.Equal(t, 12, pods)
}

// bound returns the service accounts, by namespace and name, to which a role is bound.
func bound(objects []runtime.Object) (accounts []string) {
	for _, object := range objects {
		var subjects []rbacv1.Subject
		switch o := object.(type) {
		case *rbacv1.ClusterRoleBinding:
			subjects = o.Subjects
		case *rbacv1.RoleBinding:
			subjects = o.Subjects
		}
		for _, s := range subjects {
			accounts = append(accounts, s.Namespace+"/"+s.Name)
		}
	}
	return accounts
}

// TestRolesPermitListingPods checks that one service account may list and watch pods, and nothing else: that of
// the agents, or of the allocator in its overlay.
func TestRolesPermitListingPods(t *testing.T) {
	want := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list", "watch"}}}
	all := build(t)
	for _, name := range []string{"base", "overlays/prometheus", "overlays/namespace", "overlays/allocator", "operator", "helm/agent.yaml"} {
		granted := 0
		decoded := decode(t, all[name])
		for _, object := range decoded {
			switch o := object.(type) {
			case *rbacv1.ClusterRole:
				assert.NotEqual(t, "overlays/namespace", name, "a ClusterRole in the overlay for one namespace")
				assert.Equal(t, want, o.Rules, name)
				granted++
			case *rbacv1.Role:
				assert.Equal(t, want, o.Rules, name)
				granted++
			}
		}
		account := "otel-goroutine/goroutine-agent"
		switch name {
		case "overlays/namespace":
			account = "shop/goroutine-agent"
		case "overlays/allocator":
			account = "otel-goroutine/goroutine-allocator"
		}
		assert.Equal(t, 1, granted, name)
		assert.Equal(t, []string{account}, bound(decoded), name)
	}
}

// TestSelectorsMatchPods checks that the selectors of Services, PodDisruptionBudgets and other objects match a
// pod.
func TestSelectorsMatchPods(t *testing.T) {
	for name, objects := range build(t) {
		if name == "monitoring" { // has no pods
			continue
		}
		decoded := decode(t, objects)
		pods := workloads(decoded)
		for _, object := range decoded {
			for _, selector := range selectorsOf(t, object) {
				matched := false
				for _, w := range pods {
					matched = matched || selector.Matches(labelsOf(w.pod.ObjectMeta))
				}
				assert.True(t, matched, "%s: %T %s selects no pod: %s", name, object, object.(metav1.Object).GetName(), selector)
			}
		}
	}
}
