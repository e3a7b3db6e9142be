package load

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// fakeSeed is as much of a seed as the workloads need, written with another websocket implementation than the clients.
// Its messages break frames and lines where they can.
type fakeSeed struct {
	server   *httptest.Server
	handlers sync.WaitGroup // hijacked connections, which the server does not wait for

	mu sync.Mutex
	// Guarded by mu.
	ready  int
	closed int // with a close frame
	open   map[*websocket.Conn]struct{}
	peers  []*fakePeer
	relays map[string][2]*fakePeer // asker, candidate
	nonces int
}

type fakePeer struct {
	seed    *fakeSeed
	ws      *websocket.Conn
	accepts string // transport
	opts    json.RawMessage
	stream  []byte
	names   map[uint64]string
	ids     map[string]uint64
}

func newFakeSeed(t *testing.T) *fakeSeed {
	s := &fakeSeed{open: make(map[*websocket.Conn]struct{}), relays: make(map[string][2]*fakePeer)}
	s.server = httptest.NewServer(s)
	t.Cleanup(func() {
		s.server.Close()
		s.handlers.Wait()
	})
	return s
}

func (s *fakeSeed) target() Target {
	return Target{Addr: s.server.Listener.Addr().(*net.TCPAddr).String(), NetworkID: "net"}
}

func (s *fakeSeed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handlers.Add(1)
	defer s.handlers.Done()
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	p := &fakePeer{seed: s, ws: ws, names: make(map[uint64]string), ids: make(map[string]uint64)}
	s.mu.Lock()
	s.open[ws] = struct{}{}
	p.write("pxp", `{"command":"hello","id":"net","version":0,"accepts":{},"transports":[]}`+"\n")
	s.mu.Unlock()
	for {
		_, message, err := ws.ReadMessage()
		s.mu.Lock()
		if websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			s.closed++
		}
		if err == nil {
			p.stream = append(p.stream, message...)
			err = p.take()
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// write sends a frame in two messages that are cut in the middle of the payload. The caller holds the seed's mutex.
func (p *fakePeer) write(name, payload string) {
	id, ok := p.ids[name]
	var out []byte
	if !ok {
		id = uint64(len(p.ids))
		p.ids[name] = id
		out = binary.AppendUvarint(out, id<<3|frameOpen)
		out = append(out, byte(len(name)))
		out = append(out, name...)
	}
	for _, half := range []string{payload[:len(payload)/2], payload[len(payload)/2:]} {
		out = binary.AppendUvarint(out, id<<3|frameData)
		out = binary.AppendUvarint(out, uint64(len(half)))
		out = append(out, half...)
	}
	middle := len(out) - len(payload)/3
	// A client that has left is noticed by the reader.
	_ = p.ws.WriteMessage(websocket.BinaryMessage, out[:middle])
	_ = p.ws.WriteMessage(websocket.BinaryMessage, out[middle:])
}

func (p *fakePeer) take() error {
	for {
		f, size, err := nextFrame(p.stream)
		if err != nil || size == 0 {
			return err
		}
		p.stream = p.stream[size:]
		if f.kind == frameOpen {
			p.names[f.id] = string(f.payload)
			continue
		}
		name := p.names[f.id]
		if relay, ok := strings.CutPrefix(name, relayPrefix); ok {
			pair := p.seed.relays[relay]
			to := pair[0]
			if to == p {
				to = pair[1]
			}
			to.write(name, string(f.payload))
			continue
		}
		for line := range bytes.Lines(f.payload) {
			if err := p.control(line); err != nil {
				return err
			}
		}
	}
}

func (p *fakePeer) control(line []byte) error {
	var m struct {
		Command string
		Accepts map[string]json.RawMessage
		ReqID   string
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return err
	}
	s := p.seed
	switch m.Command {
	case "hello":
		for transport, opts := range m.Accepts {
			p.accepts, p.opts = transport, opts
		}
		p.write("pxp", helloackLine)
	case "helloack":
		s.ready++
		s.peers = append(s.peers, p)
	case "getPeer":
		s.answer(p, m.ReqID)
	}
	return nil
}

func (s *fakeSeed) answer(asker *fakePeer, reqID string) {
	for _, p := range s.peers {
		if p == asker || p.accepts == "" {
			continue
		}
		s.nonces++
		id := fmt.Sprintf("%032x", s.nonces)
		if p.accepts == "webrtc" {
			s.relays[id] = [2]*fakePeer{asker, p}
			p.write("pxp", fmt.Sprintf(`{"command":"incoming","nonce":%q,"transport":"webrtc"}`+"\n", id))
		}
		asker.write("pxp", fmt.Sprintf(`{"command":%q,"transport":%q,"opts":%s,"address":"127.0.0.1","nonce":%q}`+"\n",
			reqID, p.accepts, p.opts, id))
		return
	}
	asker.write("pxp", fmt.Sprintf(`{"command":%q,"transport":null,"opts":null,"address":null}`+"\n", reqID))
}
