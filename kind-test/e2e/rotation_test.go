//go:build e2e

package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/peerexchange/peerexchange/pkg/exchange"
)

// Authority, certificate and TURN secret are old, and the operator renews them while nodes
// talk, directly and by TURN. No connection ends, those who trust the old authority go on
// to, and so do those who trust what is published now.
func TestRotation(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	// Relayed connections have a network to themselves: whoever looks for a node there finds one that is relayed too.
	const directSpec, relayedSpec = `exposure: {type: NodePort}, drainSeconds: 5`, `exposure: {type: NodePort}, drainSeconds: 5, replicas: 1`
	direct, relayed := s.network("direct", "{"+directSpec+"}"), s.network("relayed", "{"+relayedSpec+"}")
	_, _, talk := direct.pair()
	through := relayed.relayedPair()

	roots := direct.roots()
	for n, spec := range map[*network]string{direct: directSpec, relayed: relayedSpec} {
		n.age()
		// The operator reads Secrets anew every five minutes, and for another spec at once. This one restarts no seed.
		n.change("{" + spec + ", networkPolicy: {monitoringNamespaces: [watchers]}}")
	}
	for _, n := range []*network{direct, relayed} {
		n.renewed()
		talk.goesOn()
		through.goesOn()
	}
	for _, trusted := range []*x509.CertPool{roots, direct.roots()} {
		late := direct.newNodeWith(nodeConfig{addresses: direct.addresses("wss"), roots: trusted, seeds: 2, peers: -1})
		eventually(t, "a new node is at both seeds", func() bool { return len(late.seeds()) == 2 })
	}
	relayed.relayedPair().goesOn()
	talk.goesOn()
	through.goesOn()
}

// relayedPair are two new nodes that meet by TURN only.
func (n *network) relayedPair() *conversation {
	n.t.Helper()
	config := nodeConfig{addresses: n.addresses("wss"), roots: n.roots(), seeds: 1, peers: -1, relayed: true}
	n.newNodeWith(config)
	config.peers = 1
	c := n.newNodeWith(config).converse()
	if path := c.peer.Path(); path != exchange.PathTURN {
		n.t.Errorf("nodes that are relayed only are connected by way %v", path)
	}
	return c
}

// renewed waits until what was old is renewed and in use.
func (n *network) renewed() {
	n.t.Helper()
	await(n.space, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: n.name + "-bootstrap"}}, &corev1.ConfigMapList{}, "two authorities are published",
		func(c *corev1.ConfigMap) bool { return strings.Count(c.Data["ca.crt"], "BEGIN CERTIFICATE") == 2 })
	n.awaitSecret("turn", "there is a second TURN secret", func(data map[string][]byte) bool { return strings.Count(string(data["secrets"]), "\n") == 2 })
	n.awaitSecret("tls", "there is a new certificate", func(data map[string][]byte) bool { return len(data["tls.crt"]) > 0 })
	var secret corev1.Secret
	n.get(n.name+"-tls", &secret)
	block, _ := pem.Decode(secret.Data["tls.crt"])
	eventually(n.t, "every seed serves the new certificate", func() bool {
		for _, address := range n.addresses("wss") {
			if served := certificate(n.t, address); served == nil || !bytes.Equal(served.Raw, block.Bytes) {
				return false
			}
		}
		return true
	})
	n.settled()
}

// age lets Secrets of the network be as old as they would be when the operator renews them.
func (n *network) age() {
	n.t.Helper()
	const aged = 7 * 365 * 24 * time.Hour // of the ten years that an authority is good

	n.changeSecret("ca", func(data map[string][]byte) {
		block, _ := pem.Decode(data["ca.crt"])
		keyBlock, _ := pem.Decode(data["ca.key"])
		old, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			n.t.Fatal(err)
		}
		key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
		if err != nil {
			n.t.Fatal(err)
		}
		old.NotBefore, old.NotAfter = old.NotBefore.Add(-aged), old.NotAfter.Add(-aged)
		signed, err := x509.CreateCertificate(rand.Reader, old, old, old.PublicKey, key)
		if err != nil {
			n.t.Fatal(err)
		}
		data["ca.crt"] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})
	})
	n.changeSecret("turn", func(data map[string][]byte) {
		var history []struct {
			Value   string    `json:"value"`
			Created time.Time `json:"created"`
		}
		if err := json.Unmarshal(data["history.json"], &history); err != nil || len(history) != 1 {
			n.t.Fatalf("the TURN secrets are %d, %v", len(history), err)
		}
		history[0].Created = history[0].Created.Add(-31 * 24 * time.Hour)
		data["history.json"], _ = json.Marshal(history)
	})
	// Without it there is no certificate to keep: the next one is made as when it is too old.
	n.kubectl("delete", "secret", n.name+"-tls")
}

func (n *network) changeSecret(name string, change func(map[string][]byte)) {
	n.t.Helper()
	var secret corev1.Secret
	n.get(n.name+"-"+name, &secret)
	before := secret.DeepCopy()
	change(secret.Data)
	if err := n.client.Patch(n.t.Context(), &secret, client.MergeFrom(before)); err != nil {
		n.t.Fatal(err)
	}
}

func (n *network) awaitSecret(name, what string, ok func(map[string][]byte) bool) {
	n.t.Helper()
	await(n.space, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: n.name + "-" + name}}, &corev1.SecretList{}, what,
		func(s *corev1.Secret) bool { return ok(s.Data) })
}
