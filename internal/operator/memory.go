package operator

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// readAgain is how long a Secret is taken to be as it was read. Secrets are not
// watched, since to watch some is to be allowed to read all.
const readAgain = 5 * time.Minute

// rangeless is how long a cluster that does not tell Services' ranges is not asked for
// them again. Each time is a request for the kinds that there are.
const rangeless = 10 * time.Minute

// memory is what the operator keeps of networks between their reconciles. It is lost
// when the operator ends, and nothing is wrong then.
type memory struct {
	mu sync.Mutex
	// Guarded by mu.
	networks  map[types.NamespacedName]*remembered
	rangeless time.Time // until when the cluster is taken not to tell Services' ranges
}

type remembered struct {
	generation   int64
	good         bool // whether the last reconcile came to a good end
	trusting     bool // whether this one relies on what is remembered
	secrets      map[string]readSecret
	failingSince time.Time // zero while it is not failing
	missingSince time.Time // zero while no pod is missing
	refusal      string    // why one is, as was found at refusalAt
	refusalAt    time.Time
}

type readSecret struct {
	secret *corev1.Secret
	at     time.Time
}

// of is what is remembered of a network; the caller holds mu.
func (m *memory) of(network types.NamespacedName) *remembered {
	if m.networks == nil {
		m.networks = make(map[types.NamespacedName]*remembered)
	}
	r := m.networks[network]
	if r == nil {
		r = &remembered{}
		m.networks[network] = r
	}
	return r
}

// secret is one that was read lately, or nil.
func (m *memory) secret(network types.NamespacedName, name string, now time.Time) *corev1.Secret {
	m.mu.Lock()
	defer m.mu.Unlock()
	read, ok := m.of(network).secrets[name]
	if age := now.Sub(read.at); !ok || age < 0 || age >= readAgain {
		return nil
	}
	return read.secret
}

// keepSecret has a Secret be remembered that was read now. Nobody may change it.
func (m *memory) keepSecret(network types.NamespacedName, secret *corev1.Secret, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(network)
	if r.secrets == nil {
		r.secrets = make(map[string]readSecret)
	}
	r.secrets[secret.Name] = readSecret{secret, now}
}

// forgetSecret has a Secret be read again, since it was written.
func (m *memory) forgetSecret(network types.NamespacedName, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of(network).secrets, name)
}

// tellsRanges tells whether the cluster is to be asked for the ranges of Services.
func (m *memory) tellsRanges(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !now.Before(m.rangeless)
}

// keepRangeless has it be remembered that the cluster does not tell them now.
func (m *memory) keepRangeless(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rangeless = now.Add(rangeless)
}

// begin begins a reconcile of a network whose spec is of that generation. It relies on
// what is remembered unless the last one did not come to a good end, or was of another
// spec, which may be there because a Secret was changed.
func (m *memory) begin(network types.NamespacedName, generation int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(network)
	r.trusting = r.good && r.generation == generation
	if !r.trusting {
		r.secrets = nil
	}
	r.generation, r.good = generation, false
}

// trusting tells whether the network's reconcile relies on what is remembered.
func (m *memory) trusting(network types.NamespacedName) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(network).trusting
}

// end ends a reconcile.
func (m *memory) end(network types.NamespacedName, good bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(network).good = good
}

// failing tells for how long the network's reconciles have been failing, with the one
// that ends now.
func (m *memory) failing(network types.NamespacedName, failed bool, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(network)
	switch {
	case !failed:
		r.failingSince = time.Time{}
		return 0
	case r.failingSince.IsZero():
		r.failingSince = now
	}
	return now.Sub(r.failingSince)
}

// missing tells since when pods of the network's seeds are missing: from at on, if that is
// not remembered.
func (m *memory) missing(network types.NamespacedName, at time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(network)
	if r.missingSince.IsZero() {
		r.missingSince = at
	}
	return r.missingSince
}

// complete has no pod be missing.
func (m *memory) complete(network types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(network)
	r.missingSince, r.refusal, r.refusalAt = time.Time{}, "", time.Time{}
}

// refusal is why a pod of the network is missing, if that was found lately; empty if it
// was not found out then.
func (m *memory) refusal(network types.NamespacedName, now time.Time) (why string, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(network)
	age := now.Sub(r.refusalAt)
	return r.refusal, age >= 0 && age < askAgain
}

// keepRefusal has it be remembered why a pod is missing, as was found now.
func (m *memory) keepRefusal(network types.NamespacedName, why string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.of(network)
	r.refusal, r.refusalAt = why, now
}

// forget has nothing be remembered of a network.
func (m *memory) forget(network types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.networks, network)
}

// errReadAgain ends a reconcile that relies on what is remembered, and finds that
// something has to be changed or was changed. It is done again with all read anew.
var errReadAgain = errors.New("what is remembered is not enough")

// readSecret reads a Secret of the network's namespace, or remembers it.
func (r *Reconciler) readSecret(ctx context.Context, n *v1.PeerNetwork, name string) (*corev1.Secret, error) {
	key, now := client.ObjectKeyFromObject(n), r.Now()
	if secret := r.memory.secret(key, name, now); secret != nil {
		return secret, nil
	}
	secret := &corev1.Secret{}
	if err := r.Reader.Get(ctx, types.NamespacedName{Namespace: n.Namespace, Name: name}, secret); err != nil {
		return nil, err
	}
	r.memory.keepSecret(key, secret, now)
	return secret, nil
}

// bootstrapReader is what the published document is read from. The cache may be behind
// what was published last, which matters if another is to be.
func (r *Reconciler) bootstrapReader(n *v1.PeerNetwork) client.Reader {
	if r.memory.trusting(client.ObjectKeyFromObject(n)) {
		return r.Client
	}
	return r.Reader
}
