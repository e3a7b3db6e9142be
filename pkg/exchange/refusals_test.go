package exchange

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/exchange/internal/wire"
)

func TestErrorsOfPeersAreClassified(t *testing.T) {
	for class, causes := range map[error][]error{
		ErrLimit:    {ErrHandshakeTimeout, ErrSlowPeer, ErrIdle, wire.ErrMessageTooLarge, mux.ErrNameTooLong, mux.ErrTooManyChannels, ErrLimit},
		ErrProtocol: {wire.ErrInvalidJSON, wire.ErrInvalidMessage, mux.ErrMalformed, mux.ErrFrameTooLarge, ErrProtocol},
		nil:         {ErrUnresponsive, ErrDuplicate, ErrSelf, ErrNetworkMismatch, ErrUnauthorized, ErrVersionMismatch, ErrMeshSecret, io.EOF},
	} {
		for _, cause := range causes {
			err := classified(fmt.Errorf("what was done: %w", cause))
			if !errors.Is(err, cause) || errors.Is(err, ErrLimit) != (class == ErrLimit) || errors.Is(err, ErrProtocol) != (class == ErrProtocol) {
				t.Errorf("%q became %q, want one that is %v", cause, err, class)
			}
			if again := classified(err); again != err {
				t.Errorf("%q became %q the second time", err, again)
			}
		}
	}
}
