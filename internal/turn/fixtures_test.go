package turn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun"
)

// All addresses are loopback ones: the server is at 127.0.0.1, peers are at 127.0.0.2.
var (
	serverIP = netip.MustParseAddr("127.0.0.1")
	peerIP   = netip.MustParseAddr("127.0.0.2")
)

const testSecret = "a secret of the tests"

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

func secrets(texts ...string) func() [][]byte {
	all := make([][]byte, len(texts))
	for i, text := range texts {
		all[i] = []byte(text)
	}
	return func() [][]byte { return all }
}

// testConfig listens on all transports and allows peers at peerIP.
func testConfig(t *testing.T) Config {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Secrets:    secrets(testSecret),
		RelayIPs:   []RelayIP{{Announce: serverIP}},
		UDP:        []string{"127.0.0.1:0"},
		TCP:        []string{"127.0.0.1:0"},
		Listeners:  []Listener{{tls.NewListener(l, serverTLS(t)), TransportTLS}},
		AllowPeers: []netip.Prefix{netip.PrefixFrom(peerIP, 32)},
	}
}

// start runs a server, changed before by tweaks, until the end of the test.
func start(t *testing.T, cfg Config, tweaks ...func(*Server)) *Server {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, tweak := range tweaks {
		tweak(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		for transport, n := range s.Stats().Allocations {
			if n != 0 {
				t.Errorf("%d allocations over %s are left", n, transport)
			}
		}
		for transport, n := range s.Stats().Connections {
			if n != 0 {
				t.Errorf("%d connections over %s are left", n, transport)
			}
		}
		if s.quotas.count+len(s.quotas.clients)+len(s.quotas.credentials)+len(s.relays) != 0 {
			t.Errorf("quotas count %d allocations, %v, %v; %d relays", s.quotas.count, s.quotas.clients, s.quotas.credentials, len(s.relays))
		}
	})
	return s
}

// connect connects to a server by a transport.
func connect(t *testing.T, s *Server, transport string) net.Conn {
	t.Helper()
	address := s.Addrs(transport)[0].String()
	var conn net.Conn
	var err error
	switch transport {
	case TransportUDP:
		conn, err = net.Dial("udp4", address)
	case TransportTCP:
		conn, err = net.Dial("tcp4", address)
	default:
		conn, err = tls.Dial("tcp4", address, clientTLS(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// client is a TURN client that can do what a decent one would not.
type client struct {
	t        *testing.T
	conn     net.Conn
	stream   bool
	buf      []byte
	other    [][]byte // what came while waiting for something else
	username string
	key      []byte
	nonce    stun.Nonce
	realm    string
}

func newClient(t *testing.T, s *Server, transport string) *client {
	t.Helper()
	c := &client{t: t, conn: connect(t, s, transport), stream: transport != TransportUDP, realm: s.cfg.Realm}
	username, password, _ := s.Credentials("client")
	c.login(username, password)
	return c
}

func (c *client) login(username, password string) {
	c.username, c.key = username, longTermKey(username, c.realm, password)
}

// read returns the next message.
func (c *client) read() ([]byte, error) {
	c.conn.SetReadDeadline(time.Now().Add(patience))
	if !c.stream {
		buf := make([]byte, 64<<10)
		n, err := c.conn.Read(buf)
		return buf[:n], err
	}
	for {
		if n, err := frameLength(c.buf); err != nil {
			return nil, err
		} else if n > 0 && n <= len(c.buf) {
			message := c.buf[:n:n]
			c.buf = c.buf[n:]
			return message, nil
		}
		buf := make([]byte, 64<<10)
		n, err := c.conn.Read(buf)
		if err != nil {
			return nil, err
		}
		c.buf = append(slices.Clip(c.buf), buf[:n]...)
	}
}

func (c *client) mustRead() []byte {
	c.t.Helper()
	message, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return message
}

func (c *client) write(p []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(p); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// build makes a request; signed if there is a nonce.
func (c *client) build(method stun.Method, setters ...stun.Setter) *stun.Message {
	c.t.Helper()
	all := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, setters...)
	if c.nonce != nil {
		all = append(all, stun.NewUsername(c.username), stun.NewRealm(c.realm), c.nonce, stun.MessageIntegrity(c.key))
	}
	m, err := stun.Build(all...)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// exchange sends a request and returns its response.
func (c *client) exchange(request *stun.Message) *stun.Message {
	c.t.Helper()
	c.write(request.Raw)
	return c.response(request)
}

func (c *client) response(request *stun.Message) *stun.Message {
	c.t.Helper()
	for {
		raw := c.mustRead()
		m := &stun.Message{Raw: raw}
		if raw[0]>>6 != 0 || m.Decode() != nil || m.TransactionID != request.TransactionID {
			c.other = append(c.other, raw)
			continue
		}
		return m
	}
}

// do makes a request, and repeats it once it knows the nonce. It returns the error
// code, or zero for a success.
func (c *client) do(method stun.Method, setters ...stun.Setter) (*stun.Message, stun.ErrorCode) {
	c.t.Helper()
	for {
		response := c.exchange(c.build(method, setters...))
		var code stun.ErrorCodeAttribute
		if err := code.GetFrom(response); err != nil {
			if response.Type.Class != stun.ClassSuccessResponse {
				c.t.Fatalf("%v without a code", response)
			}
			return response, 0
		}
		if c.nonce == nil && code.Code == stun.CodeUnauthorized {
			if err := c.nonce.GetFrom(response); err != nil {
				c.t.Fatal(err)
			}
			continue
		}
		return response, code.Code
	}
}

func (c *client) must(method stun.Method, setters ...stun.Setter) *stun.Message {
	c.t.Helper()
	response, code := c.do(method, setters...)
	if code != 0 {
		c.t.Fatalf("%v: error %d", method, code)
	}
	if err := stun.MessageIntegrity(c.key).Check(response); err != nil {
		c.t.Fatalf("%v: response: %v", method, err)
	}
	return response
}

// allocate returns the relayed address.
func (c *client) allocate(setters ...stun.Setter) netip.AddrPort {
	c.t.Helper()
	response := c.must(stun.MethodAllocate, append(setters, requestUDP)...)
	return c.relayed(response)
}

func (c *client) relayed(response *stun.Message) netip.AddrPort {
	c.t.Helper()
	var relayed stun.XORMappedAddress
	if err := relayed.GetFromAs(response, stun.AttrXORRelayedAddress); err != nil {
		c.t.Fatal(err)
	}
	ip, _ := netip.AddrFromSlice(relayed.IP)
	return netip.AddrPortFrom(ip.Unmap(), uint16(relayed.Port))
}

func (c *client) permit(peers ...netip.AddrPort) stun.ErrorCode {
	c.t.Helper()
	setters := make([]stun.Setter, len(peers))
	for i, peer := range peers {
		setters[i] = peerAddress(peer)
	}
	_, code := c.do(stun.MethodCreatePermission, setters...)
	return code
}

func (c *client) bind(number uint16, peer netip.AddrPort) stun.ErrorCode {
	c.t.Helper()
	_, code := c.do(stun.MethodChannelBind, channelNumber(number), peerAddress(peer))
	return code
}

func (c *client) refresh(seconds uint32) stun.ErrorCode {
	c.t.Helper()
	_, code := c.do(stun.MethodRefresh, lifetime(seconds))
	return code
}

// send sends by a Send indication.
func (c *client) send(peer netip.AddrPort, data []byte) {
	c.t.Helper()
	m, err := stun.Build(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peerAddress(peer), raw(stun.AttrData, data))
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(m.Raw)
}

// sendChannel sends by ChannelData.
func (c *client) sendChannel(number uint16, data []byte) {
	c.t.Helper()
	buf := make([]byte, headroom+len(data)+tailroom)
	copy(buf[headroom:], data)
	c.write(channelFrame(buf, headroom, len(data), number, c.stream))
}

// receive returns the next data: from a channel, or by a Data indication from a peer.
func (c *client) receive() (number uint16, peer netip.AddrPort, data []byte) {
	c.t.Helper()
	var message []byte
	if len(c.other) > 0 {
		message, c.other = c.other[0], c.other[1:]
	} else {
		message = c.mustRead()
	}
	if number, data, ok := parseChannelData(message); ok {
		return number, peer, data
	}
	m := &stun.Message{Raw: message}
	if err := m.Decode(); err != nil || m.Type != stun.NewType(stun.MethodData, stun.ClassIndication) {
		c.t.Fatalf("received %v: %v", m, err)
	}
	peer, data, ok := parseSend(message)
	if !ok {
		c.t.Fatalf("received a malformed %v", m)
	}
	return 0, peer, data
}

// Attributes as they are wanted, in sense or not.

type attribute struct {
	kind  stun.AttrType
	value []byte
}

func (a attribute) AddTo(m *stun.Message) error {
	m.Add(a.kind, a.value)
	return nil
}

func raw(kind stun.AttrType, value []byte) stun.Setter { return attribute{kind, value} }

var requestUDP = raw(stun.AttrRequestedTransport, []byte{17, 0, 0, 0})

func lifetime(seconds uint32) stun.Setter {
	return raw(stun.AttrLifetime, []byte{byte(seconds >> 24), byte(seconds >> 16), byte(seconds >> 8), byte(seconds)})
}

func channelNumber(n uint16) stun.Setter {
	return raw(stun.AttrChannelNumber, []byte{byte(n >> 8), byte(n), 0, 0})
}

// peerAddress is an XOR-PEER-ADDRESS of the family that the address has; pion's would
// make an IPv4 one of an IPv4-mapped address.
type peerAddress netip.AddrPort

func (p peerAddress) AddTo(m *stun.Message) error {
	ap := netip.AddrPort(p)
	mask := append([]byte{0x21, 0x12, 0xa4, 0x42}, m.TransactionID[:]...)
	port := ap.Port() ^ 0x2112
	value := []byte{0, familyIPv4, byte(port >> 8), byte(port)}
	if ap.Addr().Is6() {
		value[1] = familyIPv6
	}
	for i, b := range ap.Addr().AsSlice() {
		value = append(value, b^mask[i])
	}
	m.Add(stun.AttrXORPeerAddress, value)
	return nil
}

// echo answers each datagram with itself, and returns its address.
func echo(t *testing.T) netip.AddrPort {
	t.Helper()
	return echoOn(t, listenPeer(t))
}

func echoOn(t *testing.T, conn *net.UDPConn) netip.AddrPort {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			conn.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

func listenPeer(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(peerIP, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// eventually waits for what is counted elsewhere.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal(fmt.Sprint("it never came to this: ", what))
		}
	}
}
