package webrtc

import (
	"fmt"
	"net"
	"time"

	piontransport "github.com/pion/transport/v2"
	"github.com/pion/transport/v2/stdnet"
)

// dialTimeout bounds the dialing of a TURN server over TCP or TLS. pion sets no
// limit, and a connection is not down before its dials have returned.
const dialTimeout = 10 * time.Second

// network is the machine's network as pion's connections see it: with a limit
// for dialing, and with a list of interfaces that is made when it is asked for,
// where pion's own is made and kept for each connection.
type network struct {
	*stdnet.Net
}

func newNetwork() (piontransport.Net, error) {
	std, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("list network interfaces: %w", err)
	}
	return network{std}, nil
}

// Interfaces implements pionpion's transport.Net.
func (network) Interfaces() ([]*piontransport.Interface, error) {
	now, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	return now.Interfaces()
}

// DialTCP implements pionpion's transport.Net.
func (network) DialTCP(name string, local, remote *net.TCPAddr) (piontransport.TCPConn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	if local != nil {
		dialer.LocalAddr = local
	}
	conn, err := dialer.Dial(name, remote.String())
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		conn.Close()
		return nil, fmt.Errorf("dial %s: got %T", remote, conn)
	}
	return tcp, nil
}
