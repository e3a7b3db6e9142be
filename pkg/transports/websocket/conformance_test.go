package websocket_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/peerexchange/peerexchange/pkg/transports/internal/testca"
	"github.com/peerexchange/peerexchange/pkg/transports/transport"
	"github.com/peerexchange/peerexchange/pkg/transports/transporttest"
	"github.com/peerexchange/peerexchange/pkg/transports/websocket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Subject {
		tr := websocket.New(websocket.Config{})
		return transporttest.Subject{
			Dialer:   tr,
			Listener: tr,
			Listen:   transport.Options{Host: "127.0.0.1"},

			DeadlinesAreFinal: true,
		}
	})
}

func TestConformanceTLS(t *testing.T) {
	ca := testca.New(t)
	transporttest.Run(t, func(t *testing.T) transporttest.Subject {
		tr := websocket.New(websocket.Config{})
		return transporttest.Subject{
			Dialer:   tr,
			Listener: tr,
			Listen:   transport.Options{Host: "127.0.0.1", Secure: true, TLS: ca.Server(t, "127.0.0.1")},
			Dial:     transport.Options{Secure: true, TLS: ca.Client()},

			DeadlinesAreFinal: true,
		}
	})
}
