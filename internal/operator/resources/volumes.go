package resources

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// readable lets the seed read a file by its group, and nobody else.
const readable = 0o440

// volumes are under names that do not change, so that what is in them can.
func volumes(n *v1.PeerNetwork) []*corev1ac.VolumeApplyConfiguration {
	all := []*corev1ac.VolumeApplyConfiguration{
		corev1ac.Volume().WithName("bootstrap").WithConfigMap(corev1ac.ConfigMapVolumeSource().
			WithName(BootstrapName(n)).WithItems(corev1ac.KeyToPath().WithKey(BootstrapFile).WithPath(BootstrapFile))),
		secretVolume("tls", CertificateSecretName(n), "tls.crt", "tls.key"),
		secretVolume("mesh", MeshSecretName(n), SecretsFile),
	}
	if HasTURN(n) {
		all = append(all, secretVolume("turn", TURNSecretName(n), SecretsFile))
	}
	if access := n.Spec.Access; access.TokensNeeded() {
		var sources []*corev1ac.VolumeProjectionApplyConfiguration
		for _, file := range []struct {
			name string
			from *v1.SecretKey
		}{{tokensFile, access.Tokens}, {jwtSecretFile, access.JWTSecret}, {jwksFile, access.JWKS}} {
			if file.from != nil {
				sources = append(sources, corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().
					WithName(file.from.SecretName).
					WithItems(corev1ac.KeyToPath().WithKey(file.from.Key).WithPath(file.name))))
			}
		}
		all = append(all, corev1ac.Volume().WithName("access").
			WithProjected(corev1ac.ProjectedVolumeSource().WithDefaultMode(readable).WithSources(sources...)))
	}
	return append(all, corev1ac.Volume().WithName("state").WithEmptyDir(corev1ac.EmptyDirVolumeSource()))
}

func secretVolume(volume, secret string, keys ...string) *corev1ac.VolumeApplyConfiguration {
	source := corev1ac.SecretVolumeSource().WithSecretName(secret).WithDefaultMode(readable)
	for _, key := range keys {
		source.WithItems(corev1ac.KeyToPath().WithKey(key).WithPath(key))
	}
	return corev1ac.Volume().WithName(volume).WithSecret(source)
}

func mounts(n *v1.PeerNetwork) []*corev1ac.VolumeMountApplyConfiguration {
	var all []*corev1ac.VolumeMountApplyConfiguration
	mount := func(name, path string) {
		all = append(all, corev1ac.VolumeMount().WithName(name).WithMountPath(path).WithReadOnly(name != "state"))
	}
	mount("bootstrap", bootstrapDir)
	mount("tls", tlsDir)
	mount("mesh", meshDir)
	if HasTURN(n) {
		mount("turn", turnDir)
	}
	if n.Spec.Access.TokensNeeded() {
		mount("access", accessDir)
	}
	mount("state", stateDir)
	return all
}
