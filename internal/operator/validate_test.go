package operator

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	v1 "github.com/peerexchange/peerexchange/api/v1"
)

// Limits that seeds would not start with are found before a seed does not.
func TestCheckLimits(t *testing.T) {
	size := func(text string) *intstr.IntOrString { value := intstr.Parse(text); return &value }
	for want, limits := range map[string]v1.Limits{
		"": {HandshakeTime: "1ms", OutboundQueueBytes: size("4KiB"), Peers: size("unlimited"), TURNBytes: size("1MiB"), ICEPerMinute: size("1")},
		"InvalidSpec: spec.limits: limit handshake-time: the smallest value is 1ms":                                           {HandshakeTime: "0s"},
		"InvalidSpec: spec.limits: limit idle-time: the smallest value is 1s":                                                 {IdleTime: "500ms"},
		"InvalidSpec: spec.limits: limit outbound-queue-bytes: the smallest value is 4096":                                    {OutboundQueueBytes: size("4095")},
		"InvalidSpec: spec.limits: limit relay-bytes=3000000000: the largest value is 2147483647; say unlimited for no limit": {RelayBytes: size("3GB")},
	} {
		got := ""
		if err := checkLimits(&limits); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", limits, got, want)
		}
	}
}
