package exchange

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/memory"
)

// raw is the other end of a connection, which says whatever a test has it say.
type raw struct {
	t    *testing.T
	conn net.Conn
	got  *rawFrames
	gone chan struct{} // closed when the node closed the connection
}

// rawFrames is what a raw end received: the payload of each channel by name,
// which of them ended, and frames of types that no node of this module sends.
type rawFrames struct {
	mu    sync.Mutex
	names map[uint64]string
	data  map[string]string
	ended map[string]bool
	other []mux.Type
	head  mux.Header
}

func newRawFrames() *rawFrames {
	return &rawFrames{names: map[uint64]string{}, data: map[string]string{}, ended: map[string]bool{}}
}

func (f *rawFrames) Frame(h mux.Header) error {
	f.head = h
	switch h.Type {
	case mux.TypeOpen:
		f.names[h.ID] = ""
	case mux.TypeEnd:
		f.ended[f.names[h.ID]] = true
	case mux.TypeData:
	default:
		f.other = append(f.other, h.Type)
	}
	return nil
}

func (f *rawFrames) Payload(piece []byte, _ bool) error {
	switch f.head.Type {
	case mux.TypeOpen:
		f.names[f.head.ID] += string(piece)
	case mux.TypeData:
		f.data[f.names[f.head.ID]] += string(piece)
	}
	return nil
}

// dialRaw connects to a node that accepts tcp, from a host.
func (w *world) dialRaw(from string, to *node) *raw {
	w.t.Helper()
	transport := w.network.New(memory.Config{Name: transports.TCP, Address: from})
	conn, err := transport.Dial(ctx, to.host, transports.Options{Port: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	r := &raw{w.t, conn, newRawFrames(), make(chan struct{})}
	return r
}

// listen reads until the connection ends. Tests that want to see a peer that
// does not read leave it out.
func (r *raw) listen(v1 bool) *raw {
	go func() {
		defer close(r.gone)
		if v1 {
			io.ReadFull(r.conn, make([]byte, len(magic)))
		}
		decoder := mux.Decoder{MaxFrameBytes: 1 << 20}
		buf := make([]byte, 4096)
		for {
			n, err := r.conn.Read(buf)
			if err != nil {
				return
			}
			r.got.mu.Lock()
			decoder.Feed(buf[:n], r.got)
			r.got.mu.Unlock()
		}
	}()
	return r
}

func (r *raw) write(s string) {
	r.t.Helper()
	if _, err := io.WriteString(r.conn, s); err != nil {
		r.t.Logf("raw write: %v", err)
	}
}

func frame(id uint64, t mux.Type, payload string) string {
	return string(mux.AppendHeader(nil, mux.Header{ID: id, Type: t, Len: len(payload)})) + payload
}

func opens(id uint64, name string) string   { return frame(id, mux.TypeOpen, name) }
func data(id uint64, payload string) string { return frame(id, mux.TypeData, payload) }

// line sends a control message on channel 0.
func (r *raw) line(format string, args ...any) {
	r.t.Helper()
	r.write(data(0, fmt.Sprintf(format, args...)+"\n"))
}

const helloV0 = `{"command":"hello","id":"net","version":0,"accepts":{%s},"transports":["websocket","webrtc","tcp"]}`

// shakeV0 does the v0 handshake as a JavaScript node does. accepts is what is in
// the braces of hello's accepts.
func (r *raw) shakeV0(accepts string) *raw {
	r.t.Helper()
	r.listen(false)
	r.write(opens(0, "pxp"))
	r.line(helloV0, accepts)
	r.line(`{"command":"helloack"}`)
	synctest.Wait()
	if !strings.Contains(r.control(), `{"command":"helloack"}`) {
		r.t.Fatalf("no handshake: %q", r.control())
	}
	r.forget()
	return r
}

// shakeV1 does the v1 handshake.
func (r *raw) shakeV1(connectInfo string) *raw {
	r.t.Helper()
	r.listen(true)
	r.write(magic + opens(0, "pxp"))
	r.line(`["hello","0",[1,%s,["net"]]]`, connectInfo)
	synctest.Wait()
	if !strings.Contains(r.control(), `["hello"`) {
		r.t.Fatalf("no handshake: %q", r.control())
	}
	r.forget()
	return r
}

// came is what came on a channel so far, and ended whether the channel ended.
func (r *raw) came(channel string) (payload string, ended bool) {
	synctest.Wait()
	r.got.mu.Lock()
	defer r.got.mu.Unlock()
	return r.got.data[channel], r.got.ended[channel]
}

// control is what came on the control channel since take or forget.
func (r *raw) control() string {
	payload, _ := r.came("pxp")
	return payload
}

func (r *raw) forget() {
	r.got.mu.Lock()
	defer r.got.mu.Unlock()
	r.got.data["pxp"] = ""
}

// destroyed tells whether a frame came that makes a JavaScript node drop the
// connection.
func (r *raw) destroyed() bool {
	synctest.Wait()
	r.got.mu.Lock()
	defer r.got.mu.Unlock()
	return len(r.got.other) > 0
}

// take returns the control messages that came since the last time, decoded.
func (r *raw) take() []json.RawMessage {
	r.t.Helper()
	text := r.control()
	r.forget()
	var lines []json.RawMessage
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line != "" {
			lines = append(lines, json.RawMessage(line))
		}
	}
	return lines
}

// message is the one v0 message that came.
func (r *raw) message() map[string]any {
	r.t.Helper()
	lines := r.take()
	if len(lines) != 1 {
		r.t.Fatalf("got %q, want one message", lines)
	}
	var m map[string]any
	if err := json.Unmarshal(lines[0], &m); err != nil {
		r.t.Fatal(err)
	}
	return m
}

// closed tells whether the node closed the connection.
func (r *raw) closed() bool {
	synctest.Wait()
	select {
	case <-r.gone:
		return true
	default:
		return false
	}
}
