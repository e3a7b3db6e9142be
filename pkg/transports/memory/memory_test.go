package memory_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/peerexchange/peerexchange/pkg/transports/memory"
	"github.com/peerexchange/peerexchange/pkg/transports/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Subject {
		network := memory.NewNetwork()
		a := network.New(memory.Config{Address: "10.0.0.1"})
		b := network.New(memory.Config{Address: "10.0.0.2"})
		return transporttest.Subject{
			Dialer:    a,
			Listener:  b,
			Host:      "10.0.0.2",
			Initiator: a,
			Responder: b,
		}
	})
}
