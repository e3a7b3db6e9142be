//go:build e2e

package e2e

import (
	"context"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// await watches an object until it is as wanted. list is of the object's type.
func await[T client.Object](s *space, object T, list client.ObjectList, what string, ok func(T) bool) T {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), stepTime)
	defer cancel()
	name := object.GetName()
	last := object
	for ctx.Err() == nil {
		// A watch may be closed by the server at any time; the next one begins with how things are.
		watching, err := s.client.Watch(ctx, list, client.InNamespace(s.namespace), client.MatchingFields{"metadata.name": name})
		if err != nil {
			s.t.Fatalf("watch %s: %v", name, err)
		}
		for event := range watching.ResultChan() {
			seen, is := event.Object.(T)
			if !is || event.Type == watch.Deleted {
				continue
			}
			if last = seen; ok(last) {
				watching.Stop()
				return last
			}
		}
	}
	last.SetManagedFields(nil)
	shown, _ := yaml.Marshal(last)
	s.t.Fatalf("%s of %s: it did not come to that within %v. It is\n%s", what, name, stepTime, shown)
	panic("not reached")
}
