package transporttest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// manyConns is how many connections there are at a time in one check.
const manyConns = 50

var dialChecks = []check[Subject]{
	{"ListenGivesARealPort", listenGivesARealPort},
	{"ListenMindsItsContext", listenMindsItsContext},
	{"DialMindsItsContext", dialMindsItsContext},
	{"DialErrorNamesTheAddress", dialErrorNamesTheAddress},
	{"DialGoesWhereTheHostIsKnownToBe", dialGoesWhereTheHostIsKnownToBe},
	{"ContextDoesNotOutliveDial", contextDoesNotOutliveDial},
	{"RemoteAddrIsWhereTheOtherIs", remoteAddrIsWhereTheOtherIs},
	{"CloseUnblocksAccept", closeUnblocksAccept},
	{"ListenerCloseLeavesConnections", listenerCloseLeavesConnections},
	{"ListenerCloseDropsTheUnaccepted", listenerCloseDropsTheUnaccepted},
	{"ManyConnections", manyConnections},
}

func listenGivesARealPort(t *testing.T, s Subject) {
	a, b := s.listen(t), s.listen(t)
	portA, portB := s.at(t, a).Port, s.at(t, b).Port
	if portA <= 0 || portB <= 0 || portA == portB {
		t.Errorf("ports are %d and %d, want two real ones", portA, portB)
	}
}

func listenMindsItsContext(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// A listener that needs no waiting may be there all the same.
	if l, err := s.Listener.Listen(ctx, s.Listen); err == nil {
		l.Close()
	}

	ctx, cancel = context.WithCancel(t.Context())
	l, err := s.Listener.Listen(ctx, s.Listen)
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	defer l.Close()
	cancel()
	a, b := s.dial(t.Context(), t, l)
	defer a.Close()
	defer b.Close()
	roundTrip(t, ends{a, b})
}

func dialMindsItsContext(t *testing.T, s Subject) {
	l := s.listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	conn, err := s.Dialer.Dial(ctx, s.Host, s.at(t, l))
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, context.Canceled) && !strings.Contains(err.Error(), "canceled") {
		t.Errorf("Dial with a cancelled context: %v, want context.Canceled", err)
	}
}

func dialErrorNamesTheAddress(t *testing.T, s Subject) {
	l := s.listen(t)
	opts := s.at(t, l)
	l.Close()
	conn, err := s.Dialer.Dial(t.Context(), s.Host, opts)
	if err == nil {
		conn.Close()
		t.Fatal("Dial to a closed listener succeeds")
	}
	if addr := net.JoinHostPort(s.Host, strconv.Itoa(opts.Port)); !strings.Contains(err.Error(), addr) {
		t.Errorf("error is %q, want one that names %s", err, addr)
	}
}

// dialGoesWhereTheHostIsKnownToBe dials a name that cannot be looked up. A
// certificate that is not for the name is what may stand against it.
func dialGoesWhereTheHostIsKnownToBe(t *testing.T, s Subject) {
	const name = "known.invalid"
	s.Dial.IP = netip.MustParseAddr(s.Host)
	s.Host = name
	if s.Dial.Secure {
		s.Dial.TLS = s.Dial.TLS.Clone()
		s.Dial.TLS.ServerName = s.Dial.IP.String()
	}
	a, b := s.dial(t.Context(), t, s.listen(t))
	defer a.Close()
	defer b.Close()
	roundTrip(t, ends{a, b})
	if !s.Dial.Secure {
		return
	}
	s.Dial.TLS.ServerName = ""
	l := s.listen(t)
	accepted := async(func() (net.Conn, error) { return acceptShaken(t.Context(), l) })
	conn, err := s.Dialer.Dial(t.Context(), name, s.at(t, l))
	if err == nil {
		conn.Close()
		t.Error("Dial takes a certificate that is not for the name")
	}
	l.Close()
	if got := <-accepted; got.err == nil {
		got.value.Close()
	}
}

func contextDoesNotOutliveDial(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	a, b := s.dial(ctx, t, s.listen(t))
	defer a.Close()
	defer b.Close()
	cancel()
	roundTrip(t, ends{a, b})
}

func remoteAddrIsWhereTheOtherIs(t *testing.T, s Subject) {
	l := s.listen(t)
	dialed, accepted := s.dial(t.Context(), t, l)
	defer dialed.Close()
	defer accepted.Close()
	port := strconv.Itoa(s.at(t, l).Port)
	if _, got, err := net.SplitHostPort(dialed.RemoteAddr().String()); err != nil || got != port {
		t.Errorf("RemoteAddr of the dialed end is %s, want port %s", dialed.RemoteAddr(), port)
	}
	host, _, err := net.SplitHostPort(accepted.RemoteAddr().String())
	if err != nil {
		host = accepted.RemoteAddr().String()
	}
	if _, err := netip.ParseAddr(host); err != nil {
		t.Errorf("RemoteAddr of the accepted end is %s, want an IP address", accepted.RemoteAddr())
	}
}

func closeUnblocksAccept(t *testing.T, s Subject) {
	l := s.listen(t)
	accepted := async(l.Accept)
	l.Close()
	if got := <-accepted; !errors.Is(got.err, net.ErrClosed) {
		t.Errorf("Accept: %v, want net.ErrClosed", got.err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v, want net.ErrClosed", err)
	}
	if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: %v, want nil or net.ErrClosed", err)
	}
}

func listenerCloseLeavesConnections(t *testing.T, s Subject) {
	l := s.listen(t)
	a, b := s.dial(t.Context(), t, l)
	defer a.Close()
	defer b.Close()
	l.Close()
	roundTrip(t, ends{a, b})
}

// listenerCloseDropsTheUnaccepted checks that a connection that nobody accepted
// does not hang for ever on the dialing side.
func listenerCloseDropsTheUnaccepted(t *testing.T, s Subject) {
	l := s.listen(t)
	dialed := async(func() (net.Conn, error) { return s.Dialer.Dial(t.Context(), s.Host, s.at(t, l)) })
	if s.Dial.Secure {
		// Whether a handshake is answered before Accept is the transport's choice.
		l.Close()
	}
	got := <-dialed
	l.Close()
	if got.err != nil {
		return
	}
	defer got.value.Close()
	if n, err := got.value.Read(make([]byte, 1)); err == nil {
		t.Errorf("Read = %d, nil; want the end", n)
	}
}

func manyConnections(t *testing.T, s Subject) {
	l := s.listen(t)
	opts := s.at(t, l)
	echoed := async(func() (int, error) { return manyConns, echoMany(l, manyConns) })
	var dialed []<-chan result[string]
	for i := range manyConns {
		want := "connection " + strconv.Itoa(i)
		dialed = append(dialed, async(func() (string, error) {
			conn, err := s.Dialer.Dial(t.Context(), s.Host, opts)
			if err != nil {
				return "", err
			}
			defer conn.Close()
			if _, err := conn.Write([]byte(want)); err != nil {
				return "", err
			}
			got := make([]byte, len(want))
			_, err = io.ReadFull(conn, got)
			return string(got), err
		}))
	}
	for i, done := range dialed {
		want := "connection " + strconv.Itoa(i)
		if got := <-done; got.err != nil || got.value != want {
			t.Errorf("connection %d: got %q, %v; want its own echo", i, got.value, got.err)
		}
	}
	l.Close()
	if err := (<-echoed).err; err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// echoMany accepts n connections and gives each what it wrote, until it ends.
func echoMany(l net.Listener, n int) error {
	var echoes []<-chan result[int64]
	defer func() {
		for _, echo := range echoes {
			<-echo
		}
	}()
	for range n {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		echoes = append(echoes, async(func() (int64, error) {
			defer conn.Close()
			return io.Copy(conn, conn)
		}))
	}
	return nil
}
