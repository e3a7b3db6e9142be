//go:build apiserver

package operator

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	v1 "github.com/peerexchange/peerexchange/api/v1"
	"github.com/peerexchange/peerexchange/internal/operator/lookout"
	"github.com/peerexchange/peerexchange/internal/operator/probe"
	"github.com/peerexchange/peerexchange/internal/operator/rbac"
	"github.com/peerexchange/peerexchange/internal/operator/resources"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/test/kube"
)

var (
	server *kube.Server
	// asOperator is for what the operator does: it may do what its roles say only.
	asOperator *rest.Config
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func withServer(run func() int) (code int, err error) {
	if server, err = kube.Start(); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if asOperator, err = server.As("operator", rbac.Roles); err != nil {
		return 1, err
	}
	return run(), nil
}

// world is one namespace with one network, whose pods, nodes and seeds are the test's.
type world struct {
	*testing.T
	client      client.Client
	reconciler  *Reconciler
	network     *v1.PeerNetwork
	now         time.Time
	writes      []string
	peers       map[string]int32
	silent      map[string]bool          // seeds that do not answer when they are asked
	unreached   map[string]v1.SeedReason // at all addresses, by the seed's first one
	out         map[string]v1.SeedReason // by the URL, of seeds that have others
	looks       int                      // how often reconciles looked at seeds
	unasked     bool                     // no seed was looked at yet
	authorities []byte                   // by which a seed was to be reached last
}

func newWorld(t *testing.T, spec v1.PeerNetworkSpec) *world {
	t.Helper()
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1.AddToScheme} {
		if err := add(known); err != nil {
			t.Fatal(err)
		}
	}
	plain, err := client.NewWithWatch(server.Config, client.Options{Scheme: known})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, client: plain, now: time.Now().Truncate(time.Second), peers: map[string]int32{}, silent: map[string]bool{}, unreached: map[string]v1.SeedReason{}, out: map[string]v1.SeedReason{}}
	restricted, err := client.NewWithWatch(asOperator, client.Options{Scheme: known})
	if err != nil {
		t.Fatal(err)
	}
	counting := interceptor.NewClient(restricted, interceptor.Funcs{
		Apply: func(ctx context.Context, c client.WithWatch, object runtime.ApplyConfiguration, options ...client.ApplyOption) error {
			w.writes = append(w.writes, fmt.Sprintf("apply %v", object))
			return c.Apply(ctx, object, options...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object, options ...client.DeleteOption) error {
			w.writes = append(w.writes, "delete "+object.GetName())
			return c.Delete(ctx, object, options...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			w.writes = append(w.writes, "patch "+object.GetName())
			return c.Patch(ctx, object, patch, options...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, name string, object client.Object, patch client.Patch, options ...client.SubResourcePatchOption) error {
			w.writes = append(w.writes, "patch "+name)
			return c.SubResource(name).Patch(ctx, object, patch, options...)
		},
	})
	w.reconciler = &Reconciler{
		Client: counting, Reader: restricted, Seeds: direct{w}, Events: events.NewFakeRecorder(1000),
		Settings: resources.Settings{Image: "seed:test", ClusterDomain: "cluster.local", Namespace: "operator", PodLabels: map[string]string{"app": "operator"}},
		Now:      func() time.Time { return w.now },
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	w.must(plain.Create(t.Context(), namespace))
	spec.NetworkID = "demo"
	w.network = &v1.PeerNetwork{ObjectMeta: metav1.ObjectMeta{Name: "demo", Namespace: namespace.Name}, Spec: spec}
	w.must(plain.Create(t.Context(), w.network))
	return w
}

// direct has a reconcile look at the seeds of a world itself.
type direct struct{ w *world }

// Report implements [Sights].
func (d direct) Report(_ types.NamespacedName, pod *corev1.Pod) (report *probe.Report, known bool) {
	if d.w.unasked {
		return nil, false
	}
	said, err := d.w.Status(d.w.Context(), pod)
	if err != nil {
		return nil, true
	}
	return &said, true
}

// Look implements [Sights].
func (d direct) Look(_ types.NamespacedName, seeds []lookout.Seed) []probe.Sighting {
	var sightings []probe.Sighting
	d.w.looks++
	for _, seed := range seeds {
		sighting := probe.Sighting{Reason: v1.SeedNotProbed}
		if seed.Target != nil && !d.w.unasked {
			d.w.authorities = seed.Target.Authorities
			sighting = d.w.Reach(d.w.Context(), *seed.Target)
		}
		sightings = append(sightings, sighting)
	}
	return sightings
}

// Status implements [lookout.Seeds].
func (w *world) Status(_ context.Context, pod *corev1.Pod) (probe.Report, error) {
	if w.silent[pod.Name] {
		return probe.Report{}, errors.New("no answer")
	}
	return probe.Report{Peers: w.peers[pod.Name]}, nil
}

// Reach implements [lookout.Seeds].
func (w *world) Reach(_ context.Context, target probe.Target) probe.Sighting {
	reason, failed := w.unreached[target.Addresses[0]]
	switch {
	case reason == v1.SeedSTUNFailed, reason == v1.SeedTURNFailed:
		return probe.Sighting{Reason: reason, Message: "no answer from " + target.TURN[0], Silent: target.TURN[:1], Reachable: true}
	case failed:
		sighting := probe.Sighting{Reason: reason, Message: "nothing answers at " + target.Addresses[0], Silent: target.Addresses}
		if reason == v1.SeedTLSFailed {
			sighting.Untrusted = target.Addresses
		}
		return sighting
	}
	sighting := probe.Sighting{Reason: v1.SeedReached, Message: "at " + strings.Join(target.Addresses, ", "), Reachable: true}
	for _, address := range slices.Concat(target.Addresses, target.TURN) {
		reason, out := w.out[address]
		if !out {
			continue
		}
		if sighting.Reason == v1.SeedReached {
			sighting.Reason, sighting.Message = reason, "nothing answers at "+address
		}
		sighting.Silent = append(sighting.Silent, address)
		if reason == v1.SeedTLSFailed {
			sighting.Untrusted = append(sighting.Untrusted, address)
		}
	}
	return sighting
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// reconcile does so once, reads the network again, and returns what was written.
func (w *world) reconcile() []string {
	w.Helper()
	w.writes = nil
	_, err := w.reconciler.Reconcile(w.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(w.network)})
	w.must(err)
	w.get(w.network)
	return w.writes
}

// controlSet is the StatefulSet's controller: it has seen the last change, which is one
// of the pods' revision too if their image is another.
func (w *world) controlSet() {
	w.Helper()
	set := &appsv1.StatefulSet{}
	err := w.client.Get(w.Context(), client.ObjectKey{Namespace: w.network.Namespace, Name: "demo-seed"}, set)
	if apierrors.IsNotFound(err) {
		return // there is nothing to control
	}
	w.must(err)
	set.Status.ObservedGeneration = set.Generation
	set.Status.UpdateRevision = revision(set)
	w.must(w.client.Status().Update(w.Context(), set))
}

func revision(set *appsv1.StatefulSet) string {
	return strings.NewReplacer(":", "-", "/", "-").Replace(set.Spec.Template.Spec.Containers[0].Image)
}

// settled reconciles until the StatefulSet's controller and the operator have seen what
// the other did, and then once more, which is to write nothing.
func (w *world) settled() {
	w.Helper()
	w.reconcile()
	w.controlSet()
	w.reconcile()
	if writes := w.reconcile(); len(writes) > 0 {
		w.Errorf("nothing changed, and written is %q", writes)
	}
}

// later is when Secrets are read again.
func (w *world) later() {
	w.Helper()
	w.now = w.now.Add(readAgain)
	w.settled()
}

func (w *world) get(object client.Object) {
	w.Helper()
	w.must(w.client.Get(w.Context(), client.ObjectKeyFromObject(object), object))
}

// named is an object of the network's namespace.
func named[T any, P interface {
	*T
	client.Object
}](w *world, name string) P {
	w.Helper()
	object := P(new(T))
	object.SetNamespace(w.network.Namespace)
	object.SetName(name)
	w.get(object)
	return object
}

func (w *world) set() *appsv1.StatefulSet { return named[appsv1.StatefulSet](w, "demo-seed") }

// document is what is published, as programs verify it with the key in the status.
func (w *world) document() *exchange.Bootstrap {
	w.Helper()
	data := named[corev1.ConfigMap](w, "demo-bootstrap").Data
	status := w.network.Status.Bootstrap
	if status == nil {
		w.Fatal("the status says nothing of the document")
	}
	key, err := base64.StdEncoding.DecodeString(status.PublicKey)
	w.must(err)
	document, err := exchange.ParseBootstrap([]byte(data["bootstrap.json"]), key)
	w.must(err)
	if document.Sequence != uint64(status.Sequence) || data["public-key"] != status.PublicKey+"\n" {
		w.Errorf("published are the number %d and the key %q, and the status has %+v", document.Sequence, data["public-key"], *status)
	}
	return document
}

// told is what events have said since it was called last.
func (w *world) told() []string {
	var all []string
	for {
		select {
		case event := <-w.reconciler.Events.(*events.FakeRecorder).Events:
			if parts := strings.SplitN(event, " ", 3); len(parts[2]) > noteLimit { // after its type and reason
				w.Errorf("an event of %d bytes, which the API server refuses: %s", len(parts[2]), event)
			}
			all = append(all, event)
		default:
			return all
		}
	}
}

func (w *world) wantConditions(want ...string) {
	w.Helper()
	for _, one := range want {
		kind, text, _ := strings.Cut(one, " ")
		c := meta.FindStatusCondition(w.network.Status.Conditions, kind)
		if c == nil {
			w.Fatalf("there is no condition %s", kind)
		}
		if is := string(c.Status) + " " + c.Reason + ": " + c.Message; !strings.HasPrefix(is, text) {
			w.Errorf("%s is %s, want %s", kind, is, text)
		}
		if c.ObservedGeneration != w.network.Generation {
			w.Errorf("%s is of generation %d, and the spec of %d", kind, c.ObservedGeneration, w.network.Generation)
		}
	}
}

// node makes one with an address.
func (w *world) node(address string) string {
	w.Helper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{GenerateName: "node-"}}
	w.must(w.client.Create(w.Context(), node))
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeExternalIP, Address: address}}
	w.must(w.client.Status().Update(w.Context(), node))
	w.Cleanup(func() { w.must(w.client.Delete(context.WithoutCancel(w.Context()), node)) })
	return node.Name
}

// pod makes what the StatefulSet's controller would, ready on that node.
func (w *world) pod(name, node string) *corev1.Pod {
	w.Helper()
	set := w.set()
	if _, ok := resources.Ordinal(w.network, name); !ok {
		w.Fatalf("%s is no name of a seed", name)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: name, Labels: set.Spec.Template.Labels}, Spec: set.Spec.Template.Spec}
	pod.Spec.NodeName = node
	pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))}
	pod.Labels["statefulset.kubernetes.io/pod-name"] = name
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = revision(set)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Spec.ServiceAccountName}}
	w.get(account)
	w.must(w.client.Create(w.Context(), pod))
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	w.must(w.client.Status().Update(w.Context(), pod))
	return pod
}

// gone takes a pod away, as the kubelet does after it has ended.
func (w *world) gone(pod *corev1.Pod) {
	w.Helper()
	w.must(client.IgnoreNotFound(w.client.Delete(context.WithoutCancel(w.Context()), pod, client.GracePeriodSeconds(0))))
}

func (w *world) update(change func(*v1.PeerNetworkSpec)) {
	w.Helper()
	change(&w.network.Spec)
	w.must(w.client.Update(w.Context(), w.network))
}

// The operator cannot look through the Secrets of a cluster.
func TestAPIServerRoles(t *testing.T) {
	restricted, err := client.New(asOperator, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := restricted.List(t.Context(), &corev1.SecretList{}); !apierrors.IsForbidden(err) {
		t.Errorf("listing Secrets: %v", err)
	}
	if err := restricted.List(t.Context(), &corev1.PodList{}); err != nil {
		t.Errorf("listing Pods: %v", err)
	}
}

func TestAPIServerFromNothingToPublished(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeNodePort}})
	w.settled()
	w.wantConditions(
		"Available False NoSeedReady", "Progressing True Creating: 0 of 2 seeds are ready",
		"Published False NothingToPublish", "CertificateReady True SelfSigned")
	if got := *w.set().Spec.Replicas; got != 2 {
		t.Errorf("there are %d replicas", got)
	}
	if document := w.document(); document.Sequence != 1 || len(document.Seeds) != 0 {
		t.Errorf("the first document is %+v", document)
	}

	node := w.node("203.0.113.7")
	first, second := w.pod("demo-seed-0", node), w.pod("demo-seed-1", node)
	w.peers[first.Name], w.peers[second.Name] = 3, 4
	tls := func(pod *corev1.Pod) string {
		service := named[corev1.Service](w, pod.Name)
		return fmt.Sprintf("wss://203.0.113.7:%d", service.Spec.Ports[0].NodePort)
	}
	w.unreached[tls(second)] = v1.SeedDialFailed
	w.settled()
	w.wantConditions(
		"Available True SeedsReachable", "Progressing False Complete",
		"Published False SeedsWithheld: demo-seed-1: nothing answers at "+tls(second))
	if s := w.network.Status; s.Peers != 7 || s.ReadyReplicas != 2 || s.Address != tls(first) || s.Selector == "" || s.Bootstrap.Sequence != 2 {
		t.Errorf("the status is %+v", s)
	}
	if d := w.document(); d.Sequence != 2 || len(d.Seeds) != 1 || d.Seeds[0].Name != first.Name || !slices.Contains(d.Seeds[0].Addresses, tls(first)) {
		t.Errorf("published is %+v", d)
	}

	delete(w.unreached, tls(second))
	w.settled()
	w.wantConditions("Published True AllSeedsPublished")
	lines := strings.Fields(named[corev1.ConfigMap](w, "demo-bootstrap").Data["addresses"])
	if len(lines) != 4 || !slices.Contains(lines, tls(second)) {
		t.Errorf("the published addresses are %q", lines)
	}
	if !strings.Contains(named[corev1.ConfigMap](w, "demo-bootstrap").Data["ca.crt"], "BEGIN CERTIFICATE") {
		t.Error("the authority is not published")
	}

	w.must(w.client.Delete(t.Context(), first)) // with its grace period
	w.settled()
	w.wantConditions("Available True", "Published False SeedsWithheld")
	if d := w.document(); d.Sequence != 4 || len(d.Seeds) != 1 || d.Seeds[0].Name != second.Name {
		t.Errorf("published is %+v", d)
	}
	if s := w.network.Status.Seeds[0]; !s.Draining || s.Reason != v1.SeedDraining {
		t.Errorf("the seed that goes is %+v", s)
	}
	w.gone(first)
	w.gone(second)
}

// What others add survives, and what they take or change comes back.
func TestAPIServerOwnsItsFieldsOnly(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeNodePort}})
	w.settled()
	service := named[corev1.Service](w, "demo-seed-0")
	port := service.Spec.Ports[0].NodePort
	service.Annotations["example.org/mine"] = "yes"
	w.must(w.client.Update(t.Context(), service))
	set := w.set()
	set.Spec.Template.Spec.Containers[0].Image = "other"
	w.must(w.client.Update(t.Context(), set))
	w.must(w.client.Delete(t.Context(), named[corev1.Secret](w, "demo-mesh")))
	w.later()
	if service = named[corev1.Service](w, "demo-seed-0"); service.Annotations["example.org/mine"] != "yes" || service.Spec.Ports[0].NodePort != port {
		t.Errorf("the Service has %v and port %d", service.Annotations, service.Spec.Ports[0].NodePort)
	}
	if image := w.set().Spec.Template.Spec.Containers[0].Image; image != "seed:test" {
		t.Errorf("the image is %s", image)
	}
	if len(named[corev1.Secret](w, "demo-mesh").Data["secrets"]) == 0 {
		t.Error("the mesh has no secret")
	}

	off := false
	w.update(func(s *v1.PeerNetworkSpec) { s.NetworkPolicy.Enabled = &off })
	w.settled()
	err := w.client.Get(t.Context(), client.ObjectKey{Namespace: w.network.Namespace, Name: "demo-seed"}, &networkingv1.NetworkPolicy{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the NetworkPolicy is still there: %v", err)
	}
}

// Seeds go one at a time, and their Services after them.
func TestAPIServerScalesDownOneByOne(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Replicas: 3, Exposure: v1.Exposure{Type: v1.ExposeNodePort}})
	w.settled()
	node := w.node("203.0.113.8")
	var pods []*corev1.Pod
	for ordinal := range int32(3) {
		pods = append(pods, w.pod(resources.SeedName(w.network, ordinal), node))
	}
	w.settled()
	w.wantConditions("Progressing False Complete")
	w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 1 })
	w.settled()
	w.wantConditions("Progressing True ScalingDown")
	if got := *w.set().Spec.Replicas; got != 2 {
		t.Errorf("there are %d replicas while the first has not gone", got)
	}
	w.must(w.client.Delete(t.Context(), pods[2]))
	w.settled()
	if got := *w.set().Spec.Replicas; got != 2 {
		t.Errorf("there are %d replicas while the first drains", got)
	}
	named[corev1.Service](w, pods[2].Name) // it still leads to the seed
	w.gone(pods[2])
	w.settled()
	if got := *w.set().Spec.Replicas; got != 1 {
		t.Errorf("there are %d replicas after the first has gone", got)
	}
	var services corev1.ServiceList
	w.must(w.client.List(t.Context(), &services, client.InNamespace(w.network.Namespace)))
	if len(services.Items) != 3 { // headless, and those of the two that are there
		t.Errorf("there are %d Services", len(services.Items))
	}
	w.gone(pods[1])
	w.settled()
	w.wantConditions("Progressing False Complete")
	w.gone(pods[0])
}

// A pod that looks like a seed, and is none of the StatefulSet, is published nowhere.
func TestAPIServerPublishesItsOwnPods(t *testing.T) {
	w := published(t)
	theirs := w.pod("demo-seed-1", w.node("203.0.113.66"))
	t.Cleanup(func() { w.gone(theirs) })
	for _, owners := range [][]metav1.OwnerReference{nil, {{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "other", UID: "1", Controller: ptr.To(true)}}} {
		w.get(theirs)
		theirs.OwnerReferences = owners
		w.must(w.client.Update(t.Context(), theirs))
		w.settled()
		if d := w.document(); d.Sequence != 2 || len(d.Seeds) != 1 {
			t.Errorf("published is %+v", d)
		}
		if s := w.network.Status; s.Replicas != 1 || len(s.Seeds) != 1 {
			t.Errorf("the status is %+v", s)
		}
	}
}

// A change of what seeds are is a rollout until the last one is replaced, and one of
// what they read by themselves is none.
func TestAPIServerRollsOut(t *testing.T) {
	w := newWorld(t, v1.PeerNetworkSpec{Exposure: v1.Exposure{Type: v1.ExposeHostPort}})
	w.settled()
	node := w.node("203.0.113.9")
	pods := []*corev1.Pod{w.pod("demo-seed-0", node), w.pod("demo-seed-1", node)}
	w.settled()
	w.wantConditions("Progressing False Complete", "Published True AllSeedsPublished")
	generation := w.set().Generation
	w.now = w.now.Add(70 * 24 * time.Hour) // the certificate, TURN and mesh secrets are renewed
	for range 4 {
		w.now = w.now.Add(2 * time.Hour)
		w.settled()
	}
	w.wantConditions("Progressing False Complete")
	if got := w.set().Generation; got != generation {
		t.Errorf("the StatefulSet was changed: it is of generation %d, and was of %d", got, generation)
	}

	w.update(func(s *v1.PeerNetworkSpec) { s.Pod.Image = "seed:next" })
	w.reconcile()
	w.wantConditions("Progressing True RollingOut: the cluster has not seen the last change of the seeds yet")
	w.reconcile() // before the controller has seen it
	w.wantConditions("Progressing True RollingOut: the cluster has not seen the last change of the seeds yet")
	w.settled()
	w.wantConditions("Progressing True RollingOut: 0 of 2")
	w.gone(pods[1])
	pods[1] = w.pod("demo-seed-1", node)
	w.settled()
	w.wantConditions("Progressing True RollingOut: 1 of 2 seeds are as the spec says; one at a time is replaced")
	w.gone(pods[0])
	pods[0] = w.pod("demo-seed-0", node)
	w.settled()
	w.wantConditions("Progressing False Complete", "Published True AllSeedsPublished")
	for _, pod := range pods {
		w.gone(pod)
	}
}

// Seeds that are added are that until all are ready. One that fails then is not added.
func TestAPIServerTellsAddedFromReplaced(t *testing.T) {
	w := newWorld(t, *onHostPorts.DeepCopy())
	pods := w.running(2)
	w.settled()
	w.wantConditions("Progressing False Complete")
	w.update(func(s *v1.PeerNetworkSpec) { s.Replicas = 3 })
	for range 2 {
		w.reconcile() // before the controller has seen it
		w.wantConditions("Progressing True ScalingUp: 2 of 3")
	}
	third := w.pod("demo-seed-2", pods[0].Spec.NodeName)
	t.Cleanup(func() { w.gone(third) })
	w.unready(third)
	w.settled()
	w.wantConditions("Progressing True ScalingUp: 2 of 3")
	w.get(third)
	third.Status.Conditions[0].Status = corev1.ConditionTrue
	w.must(w.client.Status().Update(t.Context(), third))
	w.settled()
	w.wantConditions("Progressing False Complete")

	w.get(third)
	w.unready(third)
	w.settled()
	w.wantConditions("Progressing True RollingOut: 2 of 3 seeds are ready")
	w.gone(third)
	w.settled()
	w.wantConditions("Progressing True RollingOut: 2 of 3 seeds are ready")
}

// A network that cannot be made says what to do, and goes on once it is done.
func TestAPIServerProblems(t *testing.T) {
	t.Run("a Secret is missing", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{Access: v1.Access{Tokens: &v1.SecretKey{SecretName: "members", Key: "list"}}})
		w.settled()
		for _, kind := range []string{"Available", "Progressing", "Published", "CertificateReady"} {
			w.wantConditions(kind + " False SecretMissing: the Secret members, which spec.access.tokens names, is not in the namespace " + w.network.Namespace + ": make it, or correct the name")
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: "members"}, StringData: map[string]string{"lists": "x"}}
		w.must(w.client.Create(t.Context(), secret))
		w.settled()
		w.wantConditions("Available False SecretMissing: the Secret members, which spec.access.tokens names, has nothing under the key list: add it")
		secret.StringData = map[string]string{"list": "0123456789abcdef"}
		w.must(w.client.Update(t.Context(), secret))
		w.settled()
		w.wantConditions("Progressing True Creating")
	})
	t.Run("an object is another's", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{})
		w.must(w.client.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.network.Namespace, Name: "demo-seed"}}))
		w.settled()
		w.wantConditions("Available False InvalidSpec: the ServiceAccount demo-seed is there and is not of this PeerNetwork: delete it, or make the PeerNetwork under another name")
	})
	t.Run("the cluster refuses what the schema lets through", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{Pod: v1.Pod{Tolerations: []corev1.Toleration{{Key: "dedicated", Operator: "Equals"}}}})
		w.reconcile() // without an error, which would have it tried again at once
		w.wantConditions("Progressing False InvalidSpec: the cluster refuses what is made of the spec: StatefulSet.apps \"demo-seed\" is invalid: spec.template.spec.tolerations[0].operator")
	})
	t.Run("seeds would not take a limit", func(t *testing.T) {
		small := intstr.FromString("1KiB")
		w := newWorld(t, v1.PeerNetworkSpec{Limits: v1.Limits{OutboundQueueBytes: &small}})
		w.settled()
		w.wantConditions("Available False InvalidSpec: spec.limits: limit outbound-queue-bytes: the smallest value is 4096")
	})
	t.Run("there is no cert-manager", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{TLS: v1.TLS{Issuer: &v1.IssuerReference{Name: "letsencrypt"}}})
		w.settled()
		w.wantConditions("CertificateReady False CertManagerMissing: spec.tls.issuer needs cert-manager, which is not installed: install it, or remove spec.tls.issuer", "Progressing True Creating")
	})
	t.Run("the certificate is not there", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{TLS: v1.TLS{SecretName: "mine"}})
		w.settled()
		w.wantConditions("CertificateReady False SecretMissing: the Secret mine, which spec.tls.secretName names")
	})
	t.Run("the authority is put back from a backup", func(t *testing.T) {
		lost, w := newWorld(t, v1.PeerNetworkSpec{}), newWorld(t, v1.PeerNetworkSpec{})
		lost.settled()
		w.settled()
		backup, made := named[corev1.Secret](lost, "demo-ca"), named[corev1.Secret](w, "demo-ca")
		if bytes.Equal(backup.Data["ca.crt"], made.Data["ca.crt"]) {
			t.Fatal("two networks have the same authority")
		}
		made.Data = backup.Data
		w.must(w.client.Update(t.Context(), made))
		w.later()
		w.wantConditions("CertificateReady True SelfSigned")
		certificate := named[corev1.Secret](w, "demo-tls")
		trusted := x509.NewCertPool()
		trusted.AppendCertsFromPEM(backup.Data["ca.crt"])
		pair, err := tls.X509KeyPair(certificate.Data["tls.crt"], certificate.Data["tls.key"])
		w.must(err)
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: trusted, CurrentTime: w.now}); err != nil {
			t.Error(err)
		}
		if published := named[corev1.ConfigMap](w, "demo-bootstrap").Data["ca.crt"]; published != string(backup.Data["ca.crt"]) {
			t.Errorf("clients are told to trust %q", published)
		}
	})
	t.Run("the authority was changed", func(t *testing.T) {
		w := newWorld(t, v1.PeerNetworkSpec{})
		w.settled()
		secret := named[corev1.Secret](w, "demo-ca")
		secret.Data["ca.key"] = []byte("another")
		w.must(w.client.Update(t.Context(), secret))
		w.later()
		w.wantConditions("CertificateReady False InvalidSpec: the Secret demo-ca is not as the operator wrote it")
	})
}
