package resources

import (
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Folders in a seed's container.
const (
	bootstrapDir = "/etc/peerexchange/bootstrap"
	tlsDir       = "/etc/peerexchange/tls"
	turnDir      = "/etc/peerexchange/turn"
	meshDir      = "/etc/peerexchange/mesh"
	accessDir    = "/etc/peerexchange/access"
	stateDir     = "/state"
)

// Files in them, which are keys of Secrets and of the ConfigMap that the operator
// writes.
const (
	BootstrapFile = "bootstrap.json"
	SecretsFile   = "secrets" // of TURN and of the mesh
	tokensFile    = "tokens"
	jwtSecretFile = "jwt-secrets"
	jwksFile      = "jwks.json"
)

// args are the seed's flags. Nothing that seeds read again by themselves may be in
// them: a change restarts all seeds.
func args(n *v1.PeerNetwork, s Settings, denied []netip.Prefix) []string {
	spec := &n.Spec
	args := []string{
		"--network-id=" + literal(spec.NetworkID),
		"--listen=:" + strconv.Itoa(podPortTLS),
		"--tls-cert=" + path.Join(tlsDir, "tls.crt"),
		"--tls-key=" + path.Join(tlsDir, "tls.key"),
		"--webrtc-listen=off", // published addresses are for tcp; introductions over WebRTC need none of the seed's
		"--admin-listen=:" + strconv.Itoa(AdminPort),
		"--seed-name=$(POD_NAME)",
		"--bootstrap-file=" + path.Join(bootstrapDir, BootstrapFile),
		"--mesh-dns=" + SeedsHost(n, s) + ":" + strconv.Itoa(podPortTLS),
		"--mesh-secret-file=" + path.Join(meshDir, SecretsFile),
	}
	if HasPlain(n) {
		args = append(args, "--listen-plain=:"+strconv.Itoa(podPortPlain))
	}
	args = append(args, accessArgs(spec.Access)...)
	args = append(args, turnArgs(n, denied)...)
	for _, limit := range Limits(&spec.Limits) {
		args = append(args, "--limit="+limit)
	}
	return append(args,
		"--state-dir="+stateDir,
		"--drain-timeout="+drainTimeout(n),
		"--log-format=json",
	)
}

func accessArgs(access v1.Access) []string {
	if !access.TokensNeeded() {
		return nil
	}
	args := []string{"--access=token"}
	if access.Tokens != nil {
		args = append(args, "--token-file="+path.Join(accessDir, tokensFile))
	}
	if access.JWTSecret != nil {
		args = append(args, "--jwt-secret-file="+path.Join(accessDir, jwtSecretFile))
	}
	if access.JWKS != nil {
		args = append(args, "--jwks-file="+path.Join(accessDir, jwksFile))
	}
	return args
}

// turnArgs take ranges of the cluster that seeds do not deny by themselves.
func turnArgs(n *v1.PeerNetwork, denied []netip.Prefix) []string {
	if !HasTURN(n) {
		return []string{"--turn-listen=off"}
	}
	turn := &n.Spec.TURN
	args := []string{
		"--turn-listen=:" + strconv.Itoa(podPortTURN),
		"--turn-secret-file=" + path.Join(turnDir, SecretsFile),
		"--turn-credential-ttl=" + seconds(turn.CredentialTTLSeconds),
	}
	if ports := turn.RelayPorts; ports != nil {
		// They are the node's, and so is the address.
		args = append(args,
			"--turn-relay-ip=$(HOST_IP)",
			"--turn-relay-ports="+strconv.Itoa(int(ports.Min))+"-"+strconv.Itoa(int(ports.Max)))
	}
	for _, peers := range Prefixes(turn.AllowedPeers) {
		args = append(args, "--turn-allow-peer="+peers.String())
	}
	for _, peers := range append(Prefixes(turn.DeniedPeers), denied...) {
		args = append(args, "--turn-deny-peer="+peers.String())
	}
	return args
}

// literal keeps the kubelet from taking $(NAME) in an argument for a variable.
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func seconds(n int32) string { return (time.Duration(n) * time.Second).String() }

// drainTimeout is what a seed is told. It takes no zero.
func drainTimeout(n *v1.PeerNetwork) string {
	if drainSeconds(n) == 0 {
		return "1ms"
	}
	return seconds(drainSeconds(n))
}

// drainSeconds is how long a seed may drain; the schema has the default.
func drainSeconds(n *v1.PeerNetwork) int32 {
	if n.Spec.DrainSeconds == nil {
		return 60
	}
	return *n.Spec.DrainSeconds
}
