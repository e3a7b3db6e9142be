package memory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"strings"

	"github.com/peerexchange/peerexchange/pkg/transports/transport"
)

// offer is a connection whose responder has not come yet.
type offer struct{ conn *conn }

// signal is the only kind that is sent here: {type, sdp}.
type signal struct {
	Type string `json:"type"`
	SDP  string `json:"sdp"`
}

// Negotiate makes a connection between the two nodes of the network that
// exchange the signals: an offer that names the connection, and an answer. Both
// look like those of WebRTC, because a relay may refuse to pass on any other.
func (t *Transport) Negotiate(ctx context.Context, role transport.Role, signals transport.Signaling) (net.Conn, error) {
	negotiate := t.respond
	if role == transport.Initiator {
		negotiate = t.initiate
	}
	conn, err := negotiate(ctx, signals)
	if err != nil {
		return nil, fmt.Errorf("negotiate memory as %s: %w", role, err)
	}
	return conn, nil
}

func (t *Transport) initiate(ctx context.Context, signals transport.Signaling) (_ net.Conn, err error) {
	here, there := pipe(t.network.ephemeral(t.host), t.network.ephemeral(t.host), t.config.BufferSize)
	id := t.network.addOffer(&offer{conn: there})
	defer t.network.takeOffer(id)
	defer func() {
		if err != nil {
			here.Close()
		}
	}()
	if err := send(ctx, signals, signal{Type: "offer", SDP: sdp(id, "actpass")}); err != nil {
		return nil, err
	}
	answer, err := receive(ctx, signals, "answer")
	if err != nil {
		return nil, err
	}
	if got := offerID(answer.SDP); got != id {
		return nil, fmt.Errorf("answer is to %.64q, want %q", got, id)
	}
	// The responder's own address is known from here on.
	here.remote = there.local
	return here, nil
}

func (t *Transport) respond(ctx context.Context, signals transport.Signaling) (net.Conn, error) {
	request, err := receive(ctx, signals, "offer")
	if err != nil {
		return nil, err
	}
	id := offerID(request.SDP)
	o := t.network.takeOffer(id)
	if o == nil {
		return nil, fmt.Errorf("no offer %.64q on this network", id)
	}
	o.conn.local = t.network.ephemeral(t.host)
	if err := send(ctx, signals, signal{Type: "answer", SDP: sdp(id, "active")}); err != nil {
		o.conn.Close()
		return nil, err
	}
	return o.conn, nil
}

// addOffer gives an offer the name that its responder finds it by.
func (n *Network) addOffer(o *offer) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nextOffer++
	id := fmt.Sprintf("memory%06d", n.nextOffer)
	n.offers[id] = o
	return id
}

func (n *Network) takeOffer(id string) *offer {
	n.mu.Lock()
	defer n.mu.Unlock()
	o := n.offers[id]
	delete(n.offers, id)
	return o
}

func send(ctx context.Context, signals transport.Signaling, s signal) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := signals.Send(ctx, data); err != nil {
		return fmt.Errorf("send %s: %w", s.Type, err)
	}
	return nil
}

func receive(ctx context.Context, signals transport.Signaling, want string) (signal, error) {
	data, err := signals.Receive(ctx)
	if err != nil {
		return signal{}, fmt.Errorf("receive %s: %w", want, err)
	}
	var s signal
	if err := json.Unmarshal(data, &s); err != nil {
		return signal{}, fmt.Errorf("receive %s: %w", want, err)
	}
	if s.Type != want {
		return signal{}, fmt.Errorf("receive %s: got %.64q", want, s.Type)
	}
	return s, nil
}

const ufragLine = "a=ice-ufrag:"

// sdp is a session description such as a browser makes for one data channel. The
// ufrag carries the name of the offer.
func sdp(id, setup string) string {
	sum := sha256.Sum256([]byte(id))
	fingerprint := strings.ToUpper(hex.EncodeToString(sum[:]))
	pairs := make([]string, 0, len(sum))
	for i := 0; i < len(fingerprint); i += 2 {
		pairs = append(pairs, fingerprint[i:i+2])
	}
	return strings.Join([]string{
		"v=0",
		"o=- 1 2 IN IP4 127.0.0.1",
		"s=-",
		"t=0 0",
		"a=group:BUNDLE 0",
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
		"c=IN IP4 0.0.0.0",
		ufragLine + id,
		"a=ice-pwd:" + hex.EncodeToString(sum[:12]),
		"a=ice-options:trickle",
		"a=fingerprint:sha-256 " + strings.Join(pairs, ":"),
		"a=setup:" + setup,
		"a=mid:0",
		"a=sctp-port:5000",
		"a=max-message-size:262144",
		"",
	}, "\r\n")
}

func offerID(sdp string) string {
	for line := range strings.Lines(sdp) {
		if id, ok := strings.CutPrefix(line, ufragLine); ok {
			return strings.TrimRight(id, "\r\n")
		}
	}
	return ""
}
