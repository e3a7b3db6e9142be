package v1_test

import (
	"maps"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/peerexchange/peerexchange/test/schema"
)

// minimal is the least that a PeerNetwork needs.
const minimal = `
apiVersion: peerexchange.dev/v1
kind: PeerNetwork
metadata:
  name: demo
  namespace: default
spec:
  networkID: demo
`

// refused are changes to the minimal network that the API server refuses, with
// what it says: where, and what to do.
var refused = []struct {
	change  string // merged into it
	at, say string
}{
	{`metadata: {name: a23456789-b23456789-c23456789-d23456789-e}`, "", "metadata.name is longer than 40 characters: names of Services and Pods are made from it, choose a shorter one"},
	{`metadata: {name: 4chan}`, "", "metadata.name is no name of a Service: start it with a letter and use a-z, 0-9 and - only"},
	{`metadata: {name: demo.net}`, "", "metadata.name is no name of a Service: start it with a letter and use a-z, 0-9 and - only"},

	{`spec: {networkID: null}`, "spec.networkID", "Required value"},
	{`spec: {networkID: ""}`, "spec.networkID", "at least 1 chars long"},
	{`spec: {networkID: ` + strings.Repeat("x", 129) + `}`, "spec.networkID", "may not be more than 128"},
	{`spec: {networkID: ` + strings.Repeat("ü", 65) + `}`, "spec.networkID", "networkID is longer than 128 bytes in UTF-8"},
	{`spec: {networkID: "a\tb"}`, "spec.networkID", "networkID has control characters, such as a tab or a line's end"},
	{`spec: {networkId: demo}`, "spec.networkId", "unknown field"},

	{`spec: {replicas: 0}`, "spec.replicas", "greater than or equal to 1"},
	{`spec: {replicas: 65}`, "spec.replicas", "less than or equal to 64"},
	{`spec: {autoscaling: {}}`, "spec.autoscaling.maxReplicas", "Required value"},
	{`spec: {autoscaling: {maxReplicas: 1}}`, "spec.autoscaling", "autoscaling.minReplicas is above autoscaling.maxReplicas: lower it, or raise maxReplicas (minReplicas is 2 unless it is given)"},
	{`spec: {autoscaling: {minReplicas: 0, maxReplicas: 3}}`, "spec.autoscaling.minReplicas", "greater than or equal to 1"},
	{`spec: {autoscaling: {maxReplicas: 65}}`, "spec.autoscaling.maxReplicas", "less than or equal to 64"},
	{`spec: {autoscaling: {maxReplicas: 3, peersPerSeed: 0}}`, "spec.autoscaling.peersPerSeed", "greater than or equal to 1"},
	{`spec: {autoscaling: {maxReplicas: 3, peersPerSeed: 1000001}}`, "spec.autoscaling.peersPerSeed", "less than or equal to 1000000"},
	{`spec: {autoscaling: {maxReplicas: 3, scaleDownWindowSeconds: -1}}`, "spec.autoscaling.scaleDownWindowSeconds", "greater than or equal to 0"},
	{`spec: {autoscaling: {maxReplicas: 3, scaleDownWindowSeconds: 86401}}`, "spec.autoscaling.scaleDownWindowSeconds", "less than or equal to 86400"},

	{`spec: {exposure: {type: Ingress}}`, "spec.exposure.type", `supported values: "ClusterIP", "NodePort", "LoadBalancer", "HostPort"`},
	{`spec: {exposure: {type: NodePort, loadBalancer: {}}}`, "spec.exposure", "exposure.loadBalancer has no effect with this exposure.type: set exposure.type to LoadBalancer, or remove it"},
	{`spec: {exposure: {type: LoadBalancer, addressTypes: [ExternalIP]}}`, "spec.exposure", "exposure.addressTypes has no effect with this exposure.type: it is for NodePort and HostPort, remove it"},
	{`spec: {exposure: {type: NodePort, addressTypes: [Hostname]}}`, "spec.exposure.addressTypes[0]", `supported values: "ExternalDNS", "ExternalIP", "InternalDNS", "InternalIP"`},
	{`spec: {exposure: {type: NodePort, addressTypes: []}}`, "spec.exposure.addressTypes", "at least 1 items"},
	{`spec: {exposure: {type: NodePort, addressTypes: [ExternalIP, ExternalIP]}}`, "spec.exposure.addressTypes[1]", "Duplicate value"},
	{`spec: {exposure: {type: NodePort, port: 30443}}`, "spec.exposure", "exposure.port and exposure.plainPort have no effect here: the cluster chooses node ports, and inside the cluster ports are those of the pods; remove them"},
	{`spec: {exposure: {port: 443}}`, "spec.exposure", "exposure.port and exposure.plainPort have no effect here"},
	{`spec: {exposure: {plainPort: 80}}`, "spec.exposure", "exposure.port and exposure.plainPort have no effect here"},
	{`spec: {exposure: {type: HostPort, port: 0}}`, "spec.exposure.port", "greater than or equal to 1"},
	{`spec: {exposure: {type: HostPort, port: 65536}}`, "spec.exposure.port", "less than or equal to 65535"},
	{`spec: {exposure: {type: HostPort, plainPort: 65536}}`, "spec.exposure.plainPort", "less than or equal to 65535"},
	{`spec: {exposure: {domain: seeds.example.org.}}`, "spec.exposure.domain", "exposure.domain is no DNS domain: write it in lower case without a dot at its end, such as seeds.example.org"},
	{`spec: {exposure: {domain: "*.example.org"}}`, "spec.exposure.domain", "exposure.domain is no DNS domain"},
	{`spec: {exposure: {domain: localhost}}`, "spec.exposure.domain", "exposure.domain is no DNS domain"},
	{`spec: {exposure: {domain: ` + strings.Repeat("x.", 100) + `x}}`, "spec.exposure.domain", "may not be more than 200"},
	{`spec: {exposure: {type: LoadBalancer, loadBalancer: {udp: Maybe}}}`, "spec.exposure.loadBalancer.udp", `supported values: "Shared", "Separate", "Off"`},
	{`spec: {exposure: {type: LoadBalancer, loadBalancer: {udp: Off}}}`, "spec.exposure.loadBalancer.udp", `must be of type string: "boolean"`},

	{`spec: {transports: [http]}`, "spec.transports[0]", `supported values: "wss", "tls", "ws", "tcp"`},
	{`spec: {transports: []}`, "spec.transports", "at least 1 items"},
	{`spec: {transports: [wss, wss]}`, "spec.transports[1]", "Duplicate value"},

	{`spec: {tls: {secretName: mine, issuer: {name: letsencrypt}}}`, "spec.tls", "tls.secretName and tls.issuer exclude each other: name the Secret of a certificate that you have, or the cert-manager issuer that is to make one"},
	{`spec: {tls: {secretName: ""}}`, "spec.tls.secretName", "at least 1 chars long"},
	{`spec: {tls: {issuer: {}}}`, "spec.tls.issuer.name", "Required value"},

	{`spec: {turn: {credentialTTLSeconds: 59}}`, "spec.turn.credentialTTLSeconds", "greater than or equal to 60"},
	{`spec: {turn: {credentialTTLSeconds: 604801}}`, "spec.turn.credentialTTLSeconds", "less than or equal to 604800"},
	{`spec: {turn: {secretRotationSeconds: 599}}`, "spec.turn.secretRotationSeconds", "greater than or equal to 600"},
	{`spec: {turn: {secretRotationSeconds: 31536001}}`, "spec.turn.secretRotationSeconds", "less than or equal to 31536000"},
	{`spec: {turn: {secretRotationSeconds: 7199}}`, "spec.turn", "turn.secretRotationSeconds is less than twice turn.credentialTTLSeconds: credentials would end before their time; raise it, or lower the other"},
	{`spec: {turn: {allowedPeers: [10.1.0.0]}}`, "spec.turn.allowedPeers[0]", "is no network: write it as ADDRESS/BITS, such as 10.0.0.0/8, 192.0.2.7/32 or 2001:db8::/32"},
	{`spec: {turn: {deniedPeers: [10.1.0.0/8, 10.0.0.0/33]}}`, "spec.turn.deniedPeers[1]", "is no network: write it as ADDRESS/BITS"},
	{`spec: {turn: {deniedPeers: [10.0.0.0/8, 10.0.0.0/8]}}`, "spec.turn.deniedPeers[1]", "Duplicate value"},
	{`spec: {turn: {relayPorts: {min: 50000}}}`, "spec.turn.relayPorts.max", "Required value"},
	{`spec: {turn: {relayPorts: {min: 1023, max: 1100}}}`, "spec.turn.relayPorts.min", "greater than or equal to 1024"},
	{`spec: {turn: {relayPorts: {min: 50001, max: 50000}}}`, "spec.turn.relayPorts", "min is above max: exchange them, or correct one"},
	{`spec: {turn: {relayPorts: {min: 50000, max: 51000}}}`, "spec.turn.relayPorts", "the range has more than 1000 ports: each is opened on the node by itself, choose fewer"},

	{`spec: {exposure: {type: HostPort}, turn: {relayPorts: {min: 3400, max: 3499}}}`, "spec.turn.relayPorts", "the range has 3478, which is the port of STUN and TURN: choose one without it"},

	{`spec: {transports: [wss, ws], exposure: {type: HostPort, port: 443, plainPort: 443}}`, "spec", "exposure.port and exposure.plainPort are the same: give each a port of its own"},
	{`spec: {transports: [tcp], exposure: {type: HostPort, port: 8080}}`, "spec", "exposure.port and exposure.plainPort are the same"},
	{`spec: {transports: [wss, ws], exposure: {type: LoadBalancer, plainPort: 443}}`, "spec", "exposure.port and exposure.plainPort are the same"},
	{`spec: {exposure: {type: LoadBalancer, port: 3478}}`, "spec", "exposure.port and exposure.plainPort cannot be 3478, which is the port of STUN and TURN: choose another, or set turn.enabled to false"},
	{`spec: {transports: [wss, ws], exposure: {type: HostPort, plainPort: 3478}}`, "spec", "exposure.port and exposure.plainPort cannot be 3478"},
	{`spec: {exposure: {type: HostPort, plainPort: 8080}}`, "spec", "exposure.plainPort has no effect with these transports: add ws or tcp to transports, or remove it"},
	{`spec: {transports: [tls], exposure: {type: LoadBalancer, plainPort: 8080}}`, "spec", "exposure.plainPort has no effect with these transports"},
	{`spec: {turn: {relayPorts: {min: 50000, max: 50010}}}`, "spec", "turn.relayPorts has no effect with this exposure.type: set exposure.type to HostPort, or remove it"},

	{`spec: {access: {tokens: {secretName: t}}}`, "spec.access.tokens.key", "Required value"},
	{`spec: {access: {jwks: {key: t}}}`, "spec.access.jwks.secretName", "Required value"},
	{`spec: {access: {jwtSecret: {secretName: t, key: a/b}}}`, "spec.access.jwtSecret.key", "is no key of a Secret: use letters, digits, -, _ and . only"},

	{`spec: {limits: {peer: 5}}`, "spec.limits.peer", "unknown field"},
	{`spec: {limits: {relayTime: "30"}}`, "spec.limits.relayTime", "is no time: give it a unit, such as 500ms, 30s or 1h30m, or write unlimited"},
	{`spec: {limits: {turnBytes: 1 MiBit}}`, "spec.limits.turnBytes", "is no size: write a number of bytes from 1, such as 65536 or 64KiB, below 2GiB, or unlimited"},
	{`spec: {limits: {turnBytes: 0}}`, "spec.limits.turnBytes", "is no size"},
	{`spec: {limits: {peers: 30s}}`, "spec.limits.peers", "is no whole number from 1 to 2147483647: correct it, or write unlimited"},
	{`spec: {limits: {peers: 0}}`, "spec.limits.peers", "is no whole number"},
	{`spec: {limits: {channelsPerPeer: 2}}`, "spec.limits.channelsPerPeer", "is no whole number from 3 to 2147483647: correct it, or write unlimited"},
	{`spec: {limits: {channelsPerPeer: "2"}}`, "spec.limits.channelsPerPeer", "is no whole number from 3"},
	{`spec: {limits: {peers: 2147483648}}`, "spec.limits.peers", "is no whole number"},
	{`spec: {limits: {peers: 1.5}}`, "spec.limits.peers", "must be of type"},

	{`spec: {drainSeconds: -1}`, "spec.drainSeconds", "greater than or equal to 0"},
	{`spec: {drainSeconds: 3601}`, "spec.drainSeconds", "less than or equal to 3600"},
	{`spec: {networkPolicy: {clusterCIDRs: [cluster]}}`, "spec.networkPolicy.clusterCIDRs[0]", "is no network"},
	{`spec: {networkPolicy: {monitoringNamespaces: [""]}}`, "spec.networkPolicy.monitoringNamespaces[0]", "is no name of a namespace: use a-z, 0-9 and - only"},
	{`spec: {networkPolicy: {monitoringNamespaces: [My NS]}}`, "spec.networkPolicy.monitoringNamespaces[0]", "is no name of a namespace"},
	{`spec: {pod: {imagePullPolicy: Sometimes}}`, "spec.pod.imagePullPolicy", `supported values: "Always", "IfNotPresent", "Never"`},
}

// refusedUpdates are changes to networks that exist.
var refusedUpdates = []struct {
	from, to string // changes to the minimal one
	at, say  string
}{
	{``, `spec: {networkID: other}`, "spec.networkID", "networkID cannot be changed: peers of the old network would be lost; make another PeerNetwork and delete this one"},
	{`spec: {autoscaling: {maxReplicas: 5}}`, `spec: {replicas: 4, autoscaling: {maxReplicas: 5}}`, "spec", "replicas has no effect with autoscaling: change autoscaling.minReplicas and autoscaling.maxReplicas, or remove autoscaling"},
}

// accepted are changes at the edge of what is allowed.
var accepted = []string{
	``,
	`metadata: {name: a23456789-b23456789-c23456789-d23456789}`,
	`spec: {networkID: ` + strings.Repeat("x", 128) + `}`,
	`spec: {networkID: ` + strings.Repeat("ü", 64) + `}`,
	`spec: {networkID: "$(HOME) 'quoted' --flag"}`,
	`spec: {replicas: 64}`,
	`spec: {autoscaling: {maxReplicas: 2, scaleDownWindowSeconds: 0}}`,
	`spec: {exposure: {type: NodePort, domain: seeds.example.org, addressTypes: [InternalIP, ExternalIP]}}`,
	`spec: {exposure: {type: LoadBalancer, port: 8443, loadBalancer: {class: a/b, udp: Separate, annotations: {a: b}}}}`,
	`spec: {exposure: {type: LoadBalancer, loadBalancer: {udp: "Off"}}}`,
	`spec: {transports: [wss, ws], exposure: {type: HostPort, port: 443, plainPort: 80}}`,
	`spec: {exposure: {type: LoadBalancer, port: 3478}, turn: {enabled: false}}`,
	`spec: {transports: [wss, ws], exposure: {type: LoadBalancer, port: 80, plainPort: 8080}}`,
	`spec: {exposure: {type: ClusterIP, port: 443, domain: s.example}}`,
	`spec: {transports: [tcp, ws, tls, wss]}`,
	`spec: {tls: {secretName: mine}}`,
	`spec: {tls: {issuer: {name: letsencrypt, kind: ClusterIssuer}}}`,
	`spec: {turn: {enabled: false}}`,
	`spec: {exposure: {type: HostPort}, turn: {enabled: false, relayPorts: {min: 50000, max: 50010}, deniedPeers: [10.0.0.0/8]}}`, // to turn it off takes one word
	`spec: {exposure: {type: HostPort}, turn: {credentialTTLSeconds: 60, secretRotationSeconds: 600, relayPorts: {min: 50000, max: 50999}}}`,
	`spec: {turn: {allowedPeers: [10.1.0.0/16], deniedPeers: ["2001:db8::/32", 192.0.2.7/32]}}`,
	`spec: {access: {tokens: {secretName: t, key: tokens.txt}, jwtSecret: {secretName: t, key: k}, jwks: {secretName: t, key: jwks.json}}}`,
	`spec: {limits: {peers: 50000, peersPerIP: unlimited, turnBytes: 1.5GiB, relayBytes: "65536", turnAllocations: "10", relayTime: 1h30m, channelsPerPeer: "10", idleTime: unlimited}}`,
	`spec: {drainSeconds: 0}`,
	`spec: {networkPolicy: {enabled: false, monitoringNamespaces: []}}`,
	`spec: {pod: {image: "registry.example:5000/seed:1", tolerations: [{operator: Exists}], resources: {limits: {memory: 1Gi}}}}`,
}

func TestRefused(t *testing.T) {
	s := readSchema(t)
	for _, c := range refused {
		t.Run(c.change, func(t *testing.T) {
			errs := s.Create(t.Context(), change(t, c.change))
			for _, err := range errs {
				if (err.Field == c.at || c.at == "" && err.Field == "<nil>") && strings.Contains(err.Error(), c.say) {
					return
				}
			}
			t.Errorf("got %v, want %q at %q", errs, c.say, c.at)
		})
	}
}

func TestRefusedUpdates(t *testing.T) {
	s := readSchema(t)
	for _, c := range refusedUpdates {
		t.Run(c.to, func(t *testing.T) {
			errs := s.Update(t.Context(), change(t, c.to), change(t, c.from))
			if len(errs) != 1 || errs[0].Field != c.at || !strings.Contains(errs[0].Error(), c.say) {
				t.Errorf("got %v, want %q at %q", errs, c.say, c.at)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	s := readSchema(t)
	for _, c := range accepted {
		t.Run(c, func(t *testing.T) {
			object := change(t, c)
			if errs := s.Create(t.Context(), object); len(errs) > 0 {
				t.Fatal(errs)
			}
			if errs := s.Update(t.Context(), runtime.DeepCopyJSON(object), object); len(errs) > 0 {
				t.Errorf("the same once more: %v", errs)
			}
		})
	}
}

// With autoscaling added, taken away or absent, replicas may be changed.
func TestReplicasMayChange(t *testing.T) {
	s := readSchema(t)
	const autoscaling = `spec: {autoscaling: {maxReplicas: 5}}`
	for _, c := range []struct{ from, to string }{
		{``, `spec: {replicas: 5}`},
		{`spec: {replicas: 5}`, autoscaling},
		{autoscaling, `spec: {replicas: 5}`},
	} {
		if errs := s.Update(t.Context(), change(t, c.to), change(t, c.from)); len(errs) > 0 {
			t.Errorf("from %q to %q: %v", c.from, c.to, errs)
		}
	}
}

// Every rule of the definition is one that a test has seen broken.
func TestEveryRuleIsTested(t *testing.T) {
	tested := func(message string) bool {
		for _, c := range refused {
			if c.say == message {
				return true
			}
		}
		for _, c := range refusedUpdates {
			if c.say == message {
				return true
			}
		}
		return false
	}
	var visit func(path string, s *apiextensionsv1.JSONSchemaProps)
	visit = func(path string, s *apiextensionsv1.JSONSchemaProps) {
		for _, rule := range s.XValidations {
			if !tested(rule.Message) {
				t.Errorf("%s: no test is refused with %q", path, rule.Message)
			}
		}
		for name, property := range s.Properties {
			visit(path+"."+name, &property)
		}
		if s.Items != nil {
			visit(path+"[]", s.Items.Schema)
		}
		if s.AdditionalProperties != nil {
			visit(path+"{}", s.AdditionalProperties.Schema)
		}
	}
	visit("", readSchema(t).Definition.Spec.Versions[0].Schema.OpenAPIV3Schema)
}

func readSchema(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// change is the minimal network with a change.
func change(t *testing.T, document string) map[string]any {
	t.Helper()
	object, err := schema.Object(minimal)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := schema.Object(document)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range changes {
		section := object[key].(map[string]any)
		maps.Copy(section, value.(map[string]any))
		maps.DeleteFunc(section, func(_ string, value any) bool { return value == nil })
	}
	return object
}
