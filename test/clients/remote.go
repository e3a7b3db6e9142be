package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// JSError is an error that the npm client handed to its application.
type JSError struct{ Message string }

func (e *JSError) Error() string { return e.Message }

// message is an answer to a command, when it has an ID, or an event.
type message struct {
	ID    int    `json:"id"`
	OK    bool   `json:"ok"`
	Error string `json:"error"`
	Peer  int    `json:"peer"`
	Port  int    `json:"port"`
	From  string `json:"from"`

	Event    string `json:"event"`
	Incoming bool   `json:"incoming"`
	Name     string `json:"name"`
	Message  string `json:"message"`
}

// maxLog bounds what is kept to be shown when a test fails.
const maxLog = 400

// Remote is an npm client that a test controls through messages, be it in a
// Node process or in a tab. Options of its start, as the drivers know them:
// guard goes on after an exception that nobody caught, allowIncoming is that of
// generation 1, and first says what happens in Node to the first message of the
// first data channel that another opens: late or garbled (node/firstmessage.js).
type Remote struct {
	*book
	lab  *Lab
	send func(ctx context.Context, command []byte) error
	// process is set for a Node process, as opposed to a tab.
	process bool
	// guarded nodes go on after an exception that nobody caught.
	guarded bool
	// over is closed when the test has come to its end: published clients may
	// crash when others are killed, and that is nobody's fault.
	over <-chan struct{}

	mu sync.Mutex
	// Guarded by mu.
	lastID  int
	pending map[int]chan message
	log     []string
	crashes []string
	late    []string // of crashes, those by a signal that came for a connection that was over
	errors  []string // of peers, as the client told its application
	dead    error
}

func (l *Lab) newRemote(t *testing.T, name string) *Remote {
	return &Remote{lab: l, book: newBook(name), over: t.Context().Done(), pending: make(map[int]chan message)}
}

// IsGo implements [Node].
func (r *Remote) IsGo() bool { return false }

// InNode implements [Node].
func (r *Remote) InNode() bool { return r.process }

// start makes the node.
func (r *Remote) start(ctx context.Context, network string, options map[string]any) error {
	args := map[string]any{"network": network, "name": r.owner}
	for name, value := range options {
		args[name] = value
	}
	_, err := r.call(ctx, "start", args)
	return err
}

func (r *Remote) call(ctx context.Context, command string, args map[string]any) (message, error) {
	r.mu.Lock()
	if r.dead != nil {
		defer r.mu.Unlock()
		return message{}, r.dead
	}
	r.lastID++
	id := r.lastID
	answer := make(chan message, 1)
	r.pending[id] = answer
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.pending, id)
		r.mu.Unlock()
	}()

	fields := map[string]any{"id": id, "command": command}
	for name, value := range args {
		fields[name] = value
	}
	line, err := json.Marshal(fields)
	if err != nil {
		return message{}, err
	}
	r.note("< " + string(line))
	if err := r.send(ctx, line); err != nil {
		return message{}, fmt.Errorf("%s %s: %w", r.owner, command, err)
	}
	select {
	case m, ok := <-answer:
		switch {
		case !ok:
			return message{}, fmt.Errorf("%s %s: %w", r.owner, command, r.end())
		case !m.OK:
			return message{}, fmt.Errorf("%s %s: %w", r.owner, command, &JSError{m.Error})
		}
		return m, nil
	case <-ctx.Done():
		return message{}, fmt.Errorf("%s %s was not answered: %w", r.owner, command, ctx.Err())
	}
}

// handle takes one message of the node.
func (r *Remote) handle(line []byte) {
	r.note("> " + string(line))
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		r.crashed(fmt.Sprintf("not a message: %.200q", line))
		return
	}
	switch m.Event {
	case "":
		r.mu.Lock()
		answer := r.pending[m.ID]
		delete(r.pending, m.ID)
		r.mu.Unlock()
		if answer != nil {
			answer <- m
		}
	case "peer":
		r.update(m.Peer, func(p *PeerInfo) { p.Connected, p.Incoming = true, m.Incoming })
	case "name":
		r.update(m.Peer, func(p *PeerInfo) { p.Name = m.Name })
	case "disconnect":
		r.update(m.Peer, func(p *PeerInfo) { p.Connected = false })
	case "peerError", "error":
		r.mu.Lock()
		r.errors = append(r.errors, m.Message)
		r.mu.Unlock()
	case "overtaken":
		r.lab.overtakings.Add(1)
	case "crash":
		r.crashed(m.Message)
	}
}

// lateSignal is what simple-peer throws at a signal for a connection that is over. The
// side that finds a connection spoiled by the WebRTC of Node ends it, and may send more
// candidates in the same moment. Nodes go on after it (node/driver.js).
const lateSignal = "cannot signal after peer is destroyed"

func (r *Remote) crashed(report string) {
	select {
	case <-r.over:
		return
	default:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.Contains(report, lateSignal) {
		r.late = append(r.late, report)
		return
	}
	r.crashes = append(r.crashes, report)
}

// fail answers everything that waits: the node is gone.
func (r *Remote) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead == nil {
		r.dead = err
	}
	for id, answer := range r.pending {
		delete(r.pending, id)
		close(answer)
	}
}

func (r *Remote) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.dead, errors.New(strings.Join(r.crashes, "\n")))
}

func (r *Remote) note(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.log) < maxLog {
		r.log = append(r.log, time.Now().Format("05.000 ")+line)
	}
}

// report fails the test if the client crashed, and tells all if the test failed.
func (r *Remote) report(t *testing.T, stderr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	crashes := r.crashes
	if r.lab.overtakings.Load() < int64(len(r.late)) {
		crashes = append(crashes, r.late...) // nothing in their own WebRTC accounts for it
	}
	if !r.guarded {
		for _, crash := range crashes {
			t.Errorf("%s crashed: %s", r.owner, crash)
		}
	}
	if t.Failed() {
		t.Logf("%s said:\n%s\n%s", r.owner, strings.Join(r.log, "\n"), stderr)
	}
}

// Troubles implements [Node].
func (r *Remote) Troubles() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errors)
}

// Connect implements [Node].
func (r *Remote) Connect(ctx context.Context, to Endpoint) (int, error) {
	m, err := r.call(ctx, "connect", map[string]any{
		"transport": to.Transport, "host": to.Host, "port": to.Port, "secure": to.Secure, "token": to.Token,
	})
	return m.Peer, err
}

// GetNewPeer implements [Node].
func (r *Remote) GetNewPeer(ctx context.Context, via int) (int, error) {
	m, err := r.call(ctx, "getNewPeer", map[string]any{"via": via})
	return m.Peer, err
}

// Request implements [Node].
func (r *Remote) Request(ctx context.Context, peer, bytes int) (string, error) {
	m, err := r.call(ctx, "request", map[string]any{"peer": peer, "bytes": bytes, "seed": 1 + bytes + peer})
	return m.From, err
}

// Disconnect implements [Node].
func (r *Remote) Disconnect(ctx context.Context, peer int) error {
	_, err := r.call(ctx, "disconnect", map[string]any{"peer": peer})
	return err
}

// Unaccept implements [Node].
func (r *Remote) Unaccept(ctx context.Context, transport string) error {
	_, err := r.call(ctx, "unaccept", map[string]any{"transport": transport})
	return err
}

// Accept implements [Node].
func (r *Remote) Accept(ctx context.Context, transport string, secure bool) (Endpoint, error) {
	to := Endpoint{Transport: transport, Host: "127.0.0.1", Secure: secure}
	if transport == "webrtc" {
		_, err := r.call(ctx, "accept", map[string]any{"transport": transport})
		return to, err
	}
	args := map[string]any{"transport": transport, "secure": secure, "cert": r.lab.config.CertFile, "key": r.lab.config.KeyFile}
	err := onFreePort(func(port int) error {
		args["port"] = port
		m, err := r.call(ctx, "accept", args)
		to.Port = m.Port
		return err
	})
	return to, err
}
