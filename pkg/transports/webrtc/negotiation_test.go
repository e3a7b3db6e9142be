package webrtc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/webrtc/v3"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

var (
	offerForm     = regexp.MustCompile(`^\{"type":"offer","sdp":"v=0\\r\\n.*a=setup:actpass\\r\\n.*a=max-message-size:262144\\r\\n"\}$`)
	answerForm    = regexp.MustCompile(`^\{"type":"answer","sdp":"v=0\\r\\n.*a=setup:active\\r\\n.*a=max-message-size:262144\\r\\n"\}$`)
	candidateForm = regexp.MustCompile(`^\{"candidate":\{"candidate":"candidate:[0-9a-zA-Z+/]+ 1 udp \d+ \S+ \d+ typ [^"]+","sdpMLineIndex":0,"sdpMid":"0"\}\}$`)
)

func TestSignalsAreThoseOfSimplePeer(t *testing.T) {
	tr := closeAtEnd(t, New(Config{}))
	a, b := newWires()
	c1, c2 := connectOver(t, tr, tr, a, b)

	for _, side := range []struct {
		wire        *wire
		description *regexp.Regexp
	}{{a, offerForm}, {b, answerForm}} {
		signals := side.wire.signals()
		if !side.description.MatchString(signals[0]) {
			t.Errorf("first signal is %s", signals[0])
		}
		for _, signal := range signals[1:] {
			if !candidateForm.MatchString(signal) {
				t.Errorf("signal is %s", signal)
			}
		}
	}
	if label := regexp.MustCompile(`^[0-9a-f]{40}$`); !label.MatchString(channelLabel(t, c1)) {
		t.Errorf("label of the channel is %q", channelLabel(t, c1))
	}
	if c1.Relayed() || c2.Relayed() {
		t.Error("a path on one machine is said to be relayed")
	}
}

// TestAddressesAreThoseOfThePath has one path only, without a NAT: a machine with
// containers translates between its own addresses.
func TestAddressesAreThoseOfThePath(t *testing.T) {
	loopback := Config{MuxAddr: "127.0.0.1:0", Loopback: LoopbackAlways}
	a, b := newWires()
	c1, c2 := connectOver(t, closeAtEnd(t, New(loopback)), closeAtEnd(t, New(loopback)), a, b)
	if c1.RemoteAddr().String() != c2.LocalAddr().String() || c2.RemoteAddr().String() != c1.LocalAddr().String() {
		t.Errorf("addresses are %v to %v and %v to %v", c1.LocalAddr(), c1.RemoteAddr(), c2.LocalAddr(), c2.RemoteAddr())
	}
}

func channelLabel(t *testing.T, c *Conn) string {
	t.Helper()
	for _, stats := range c.pc.GetStats() {
		if channel, ok := stats.(pion.DataChannelStats); ok {
			return channel.Label
		}
	}
	t.Fatal("no data channel")
	return ""
}

// shuffled hands candidates over before the description that they belong to,
// and between them what other implementations send.
type shuffled struct {
	*wire
	early []json.RawMessage
	queue []json.RawMessage
}

func (s *shuffled) Receive(ctx context.Context) (json.RawMessage, error) {
	for len(s.queue) == 0 {
		raw, err := s.wire.Receive(ctx)
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(raw), `"sdp"`) {
			s.early = append(s.early, raw)
		} else {
			withKey := strings.Replace(string(raw), `"sdpMid":"0"`, `"sdpMid":"0","usernameFragment":null`, 1)
			s.queue = append(s.queue, json.RawMessage(withKey),
				json.RawMessage(`{"candidate":{"candidate":"","sdpMLineIndex":0,"sdpMid":"0"}}`),
				json.RawMessage(`{"candidate":null}`),
				json.RawMessage(`{"renegotiate":true}`),
				json.RawMessage(`{"candidate":{"candidate":"candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active"}}`),
				json.RawMessage(`{"candidate":{"candidate":"candidate:2 1 udp 2113937151 8d2a1b5c-0000-4000-8000-000000000000.local 50000 typ host generation 0 network-cost 999"}}`),
			)
			s.queue = append(s.queue, s.early...)
			s.early = nil
		}
	}
	next := s.queue[0]
	s.queue = s.queue[1:]
	return next, nil
}

func TestToleratesWhatOthersSignal(t *testing.T) {
	tr := closeAtEnd(t, New(Config{}))
	a, b := newWires()
	connectOver(t, tr, tr, &shuffled{wire: a}, &shuffled{wire: b})
}

// script is a signaling channel whose other node says what it is told to.
type script struct {
	signals []string
	sent    []string
	err     error // after the signals
}

func (s *script) Send(_ context.Context, signal json.RawMessage) error {
	s.sent = append(s.sent, string(signal))
	return nil
}

func (s *script) Receive(ctx context.Context) (json.RawMessage, error) {
	if len(s.signals) == 0 {
		if s.err != nil {
			return nil, s.err
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	next := s.signals[0]
	s.signals = s.signals[1:]
	return json.RawMessage(next), nil
}

// foreignDescription makes a description as another implementation would.
func foreignDescription(t *testing.T, edit func(string) string) string {
	t.Helper()
	pc, err := New(Config{}).newPeerConnection(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pc.GracefulClose()
	if _, err := pc.CreateDataChannel("x", nil); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := encodeSignal(description{Type: "offer", SDP: edit(offer.SDP)})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestBadSignals(t *testing.T) {
	same := func(s string) string { return s }
	replace := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	offer := foreignDescription(t, same)
	many := func(n int, signal string) []string {
		signals := []string{offer}
		for range n {
			signals = append(signals, signal)
		}
		return signals
	}
	for name, test := range map[string]struct {
		role    transport.Role
		signals []string
		want    string
	}{
		"not JSON":            {transport.Responder, []string{`{`}, "not a signal object"},
		"not an object":       {transport.Responder, []string{`[1]`}, "not a signal object"},
		"wrong field type":    {transport.Responder, []string{`{"type":1}`}, "not a signal object"},
		"huge":                {transport.Responder, []string{`{"type":"offer","sdp":"` + strings.Repeat("x", maxSignalBytes) + `"}`}, "limit is 65536"},
		"no SDP":              {transport.Responder, []string{`{"type":"offer"}`}, "without a description"},
		"garbage SDP":         {transport.Responder, []string{`{"type":"offer","sdp":"garbage"}`}, "without a data channel"},
		"broken SDP":          {transport.Responder, []string{foreignDescription(t, replace("v=0", "v=x"))}, "set remote offer"},
		"no fingerprint":      {transport.Responder, []string{foreignDescription(t, replace("a=fingerprint", "a=finger"))}, "set remote offer"},
		"audio":               {transport.Responder, []string{foreignDescription(t, replace("m=application", "m=audio"))}, "something else than a data channel"},
		"two media":           {transport.Responder, []string{foreignDescription(t, func(s string) string { return s + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" })}, "more than one medium"},
		"message size":        {transport.Responder, []string{foreignDescription(t, func(s string) string { return s + "a=max-message-size:huge\r\n" })}, `max-message-size is "huge"`},
		"tiny message size":   {transport.Responder, []string{foreignDescription(t, func(s string) string { return s + "a=max-message-size:1\r\n" })}, "max-message-size is 1"},
		"answer to responder": {transport.Responder, []string{strings.Replace(offer, "offer", "answer", 1)}, `type "answer", want offer`},
		"offer to initiator":  {transport.Initiator, []string{offer}, `type "offer", want answer`},
		"unknown type":        {transport.Responder, []string{strings.Replace(offer, "offer", "pranswer", 1)}, `type "pranswer", want offer`},
		"second offer":        {transport.Responder, []string{offer, offer}, "second offer"},
		"candidate is text":   {transport.Responder, []string{offer, `{"candidate":"candidate:1"}`}, "candidate is not an object"},
		"garbage candidate":   {transport.Responder, []string{offer, `{"candidate":{"candidate":"garbage"}}`}, "add candidate"},
		"early garbage":       {transport.Responder, []string{`{"candidate":{"candidate":"garbage"}}`, offer}, "add candidate"},
		"long candidate":      {transport.Responder, []string{`{"candidate":{"candidate":"` + strings.Repeat("x", maxCandidateBytes+1) + `"}}`}, "limit is 1024"},
		"many nothings":       {transport.Responder, many(300, `{}`), "more than 256"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := closeAtEnd(t, New(Config{}))
			conn, err := tr.Negotiate(testContext(t), test.role, &script{signals: test.signals})
			if conn != nil || !errors.Is(err, ErrSignal) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Negotiate returned %v, want ErrSignal with %q", err, test.want)
			}
		})
	}
}

func TestNegotiateEnds(t *testing.T) {
	gone := errors.New("relay is gone")
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	expired, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	for _, role := range []transport.Role{transport.Initiator, transport.Responder} {
		for _, test := range []struct {
			ctx     context.Context
			signals transport.Signaling
			want    error
		}{
			{testContext(t), &script{err: io.EOF}, io.ErrUnexpectedEOF},
			{testContext(t), &script{err: gone}, gone},
			{canceled, &script{}, context.Canceled},
			{expired, &script{}, context.DeadlineExceeded},
		} {
			tr := closeAtEnd(t, New(Config{}))
			conn, err := tr.Negotiate(test.ctx, role, test.signals)
			if conn != nil || !errors.Is(err, test.want) {
				t.Errorf("%s: Negotiate returned %v, want %v", role, err, test.want)
			}
		}
	}
}

// cancelOnSend ends a negotiation as soon as it has started.
type cancelOnSend struct {
	script
	cancel context.CancelFunc
}

func (c *cancelOnSend) Send(context.Context, json.RawMessage) error {
	c.cancel()
	return nil
}

func TestNegotiateCanceledInTheMiddle(t *testing.T) {
	for role, signals := range map[transport.Role][]string{
		transport.Initiator: nil,
		transport.Responder: {foreignDescription(t, func(s string) string { return s })},
	} {
		tr := closeAtEnd(t, New(Config{}))
		ctx, cancel := context.WithCancel(testContext(t))
		signaling := &cancelOnSend{script{signals: signals}, cancel}
		if _, err := tr.Negotiate(ctx, role, signaling); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Negotiate returned %v", role, err)
		}
	}
}

func TestSendFailure(t *testing.T) {
	gone := errors.New("relay is gone")
	tr := closeAtEnd(t, New(Config{}))
	_, err := tr.Negotiate(testContext(t), transport.Initiator, failingSend{err: gone})
	if !errors.Is(err, gone) {
		t.Errorf("Negotiate returned %v", err)
	}
}

type failingSend struct{ err error }

func (f failingSend) Send(context.Context, json.RawMessage) error { return f.err }

func (f failingSend) Receive(ctx context.Context) (json.RawMessage, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// The relay of the published seeds ends after 30 seconds; what has been
// exchanged by then has to do.
func TestConnectsAlthoughSignalingEnds(t *testing.T) {
	tr := closeAtEnd(t, New(Config{Loopback: LoopbackNever}))
	a, b := newWires()
	connectOver(t, tr, tr, &endsAfterCandidates{wire: a}, b)
}

// endsAfterCandidates fails once both sides' signals of one interface are out.
type endsAfterCandidates struct {
	*wire
	received int
}

func (e *endsAfterCandidates) Receive(ctx context.Context) (json.RawMessage, error) {
	if e.received >= 2 {
		return nil, io.EOF
	}
	e.received++
	return e.wire.Receive(ctx)
}

// foreignPeer plays the other node with a bare PeerConnection, to do what a
// Transport does not.
func foreignPeer(ctx context.Context, t *testing.T, signals *wire, edit func(pc *pion.PeerConnection)) {
	t.Helper()
	pc, err := New(Config{}).newPeerConnection(nil)
	if err != nil {
		t.Error(err)
		return
	}
	defer pc.GracefulClose()
	edit(pc)
	send := func(v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
			return
		}
		signals.Send(ctx, raw)
	}
	candidates := make(chan string, 100)
	pc.OnICECandidate(func(c *pion.ICECandidate) {
		if c != nil {
			candidates <- c.ToJSON().Candidate
		}
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Error(err)
		return
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Error(err)
		return
	}
	send(description{"offer", offer.SDP})
	go func() {
		for {
			select {
			case line := <-candidates:
				send(candidateSignal{candidate{Candidate: line, SDPMid: "0"}})
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		raw, err := signals.Receive(ctx)
		if err != nil {
			return
		}
		remote, line, err := decodeSignal(raw)
		if err != nil {
			t.Error(err)
			return
		}
		if remote.SDP != "" {
			err = pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: remote.SDP})
		} else {
			err = pc.AddICECandidate(pion.ICECandidateInit{Candidate: line})
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func TestRejectsWrongChannels(t *testing.T) {
	unordered, lossy := false, uint16(3)
	for name, config := range map[string]*pion.DataChannelInit{
		"unordered":  {Ordered: &unordered},
		"unreliable": {MaxRetransmits: &lossy},
	} {
		t.Run(name, func(t *testing.T) {
			tr := closeAtEnd(t, New(Config{}))
			a, b := newWires()
			ctx, cancel := context.WithCancel(testContext(t))
			played := make(chan struct{})
			go func() {
				defer close(played)
				foreignPeer(ctx, t, a, func(pc *pion.PeerConnection) {
					if _, err := pc.CreateDataChannel("x", config); err != nil {
						t.Error(err)
					}
				})
			}()
			if _, err := tr.Negotiate(ctx, transport.Responder, b); !errors.Is(err, ErrChannel) {
				t.Errorf("Negotiate returned %v, want ErrChannel", err)
			}
			cancel()
			<-played
		})
	}
}

func TestSecondChannelEndsTheConnection(t *testing.T) {
	tr := closeAtEnd(t, New(Config{}))
	c1, c2 := connect(t, tr, tr)
	if _, err := c1.pc.CreateDataChannel("second", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c2.Read(make([]byte, 1)); !errors.Is(err, ErrChannel) {
		t.Errorf("Read returned %v, want ErrChannel", err)
	}
	if _, err := c2.Write([]byte("x")); !errors.Is(err, ErrChannel) {
		t.Errorf("Write returned %v, want ErrChannel", err)
	}
}

func TestNoPath(t *testing.T) {
	tr := closeAtEnd(t, New(Config{}))
	tr.timeouts = iceTimeouts{disconnected: 100 * time.Millisecond, failed: 100 * time.Millisecond, keepalive: 50 * time.Millisecond}
	// The other node has no candidates at all.
	signals := &script{signals: []string{foreignDescription(t, func(s string) string { return s })}}
	if _, err := tr.Negotiate(testContext(t), transport.Responder, signals); !errors.Is(err, ErrNoPath) {
		t.Errorf("Negotiate returned %v, want ErrNoPath", err)
	}
}

func TestLostPath(t *testing.T) {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path := &severable{PacketConn: socket}
	here := closeAtEnd(t, New(Config{Loopback: LoopbackAlways}))
	here.timeouts = iceTimeouts{disconnected: 2 * time.Second, failed: time.Second, keepalive: 100 * time.Millisecond}
	there := closeAtEnd(t, New(Config{MuxConn: path}))
	there.goodbye = 50 * time.Millisecond
	c, _ := connect(t, here, there)

	path.sever()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, ErrLost) {
		t.Errorf("Read returned %v, want ErrLost", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, ErrLost) {
		t.Errorf("Write returned %v, want ErrLost", err)
	}
}

func TestTransportCloseEndsEverything(t *testing.T) {
	tr := New(Config{MuxAddr: "127.0.0.1:0"})
	other := closeAtEnd(t, New(Config{Loopback: LoopbackAlways}))
	c, remote := connect(t, tr, other)
	negotiated := make(chan error)
	started := make(chan struct{})
	go func() {
		_, err := tr.Negotiate(testContext(t), transport.Initiator, &announcing{started: started})
		negotiated <- err
	}()
	<-started
	data := make([]byte, 300_000)
	if _, err := c.Write(data); err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		got, err := io.ReadAll(remote)
		if err == nil && len(got) != len(data) {
			err = fmt.Errorf("read %d bytes, want %d", len(got), len(data))
		}
		read <- err
	}()
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	if err := <-negotiated; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Negotiate returned %v, want net.ErrClosed", err)
	}
	if err := <-read; err != nil {
		t.Errorf("the other node read %v", err)
	}
	if _, err := c.Read(data); err != net.ErrClosed {
		t.Errorf("Read returned %v", err)
	}
	if _, err := tr.Negotiate(testContext(t), transport.Initiator, &script{}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Negotiate after Close returned %v", err)
	}
	if err := tr.Bind(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Bind after Close returned %v", err)
	}
	if err := tr.Close(); err != nil {
		t.Errorf("second Close returned %v", err)
	}
}

// announcing says when the first signal is sent.
type announcing struct {
	script
	started chan struct{}
}

func (a *announcing) Send(context.Context, json.RawMessage) error {
	select {
	case <-a.started:
	default:
		close(a.started)
	}
	return nil
}

func TestReadDeadlineOnARealChannel(t *testing.T) {
	tr := closeAtEnd(t, New(Config{}))
	c1, c2 := connect(t, tr, tr)
	for i := range 50 {
		c1.SetReadDeadline(time.Unix(1, 0))
		if _, err := c1.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Read returned %v, want a timeout", err)
		}
		c1.SetReadDeadline(time.Time{})
		if _, err := c2.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		if _, err := io.ReadFull(c1, b); err != nil || b[0] != byte(i) {
			t.Fatalf("Read returned %d and %v, want %d", b[0], err, i)
		}
	}
}
