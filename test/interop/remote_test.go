//go:build interop

package interop

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

// generation is one of the two published clients.
type generation string

const (
	v0 generation = "v0" // npm peer-exchange 0.4.1
	v1 generation = "v1" // npm peer-exchange 2.2.0
)

var generations = []generation{v0, v1}

// jsError is an error that the npm client handed to its application.
type jsError struct{ message string }

func (e *jsError) Error() string { return e.message }

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

// remote is an npm client that a test controls through messages, be it in a
// Node process or in a tab.
type remote struct {
	*book
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
	errors  []string // of peers, as the client told its application
	dead    error
}

func newRemote(t *testing.T, name string) *remote {
	return &remote{book: newBook(name), over: t.Context().Done(), pending: make(map[int]chan message)}
}

func (r *remote) isGo() bool { return false }

func (r *remote) inNode() bool { return r.process }

// start makes the node. Options as the drivers know them: allowIncoming (v1), guard.
func (r *remote) start(ctx context.Context, network string, options map[string]any) error {
	args := map[string]any{"network": network, "name": r.owner}
	for name, value := range options {
		args[name] = value
	}
	_, err := r.call(ctx, "start", args)
	return err
}

func (r *remote) call(ctx context.Context, command string, args map[string]any) (message, error) {
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
			return message{}, fmt.Errorf("%s %s: %w", r.owner, command, &jsError{m.Error})
		}
		return m, nil
	case <-ctx.Done():
		return message{}, fmt.Errorf("%s %s was not answered: %w", r.owner, command, ctx.Err())
	}
}

// handle takes one message of the node.
func (r *remote) handle(line []byte) {
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
		r.update(m.Peer, func(p *peerInfo) { p.connected, p.incoming = true, m.Incoming })
	case "name":
		r.update(m.Peer, func(p *peerInfo) { p.name = m.Name })
	case "disconnect":
		r.update(m.Peer, func(p *peerInfo) { p.connected = false })
	case "peerError", "error":
		r.mu.Lock()
		r.errors = append(r.errors, m.Message)
		r.mu.Unlock()
	case "crash":
		r.crashed(m.Message)
	}
}

func (r *remote) crashed(report string) {
	select {
	case <-r.over:
		return
	default:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crashes = append(r.crashes, report)
}

// fail answers everything that waits: the node is gone.
func (r *remote) fail(err error) {
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

func (r *remote) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.dead, errors.New(strings.Join(r.crashes, "\n")))
}

func (r *remote) note(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.log) < maxLog {
		r.log = append(r.log, time.Now().Format("05.000 ")+line)
	}
}

// report fails the test if the client crashed, and tells all if the test failed.
func (r *remote) report(t *testing.T, stderr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.guarded {
		for _, crash := range r.crashes {
			t.Errorf("%s crashed: %s", r.owner, crash)
		}
	}
	if t.Failed() {
		t.Logf("%s said:\n%s\n%s", r.owner, strings.Join(r.log, "\n"), stderr)
	}
}

func (r *remote) troubles() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errors)
}

func (r *remote) connect(ctx context.Context, to endpoint) (int, error) {
	m, err := r.call(ctx, "connect", map[string]any{
		"transport": to.transport, "host": to.host, "port": to.port, "secure": to.secure, "token": to.token,
	})
	return m.Peer, err
}

func (r *remote) getNewPeer(ctx context.Context, via int) (int, error) {
	m, err := r.call(ctx, "getNewPeer", map[string]any{"via": via})
	return m.Peer, err
}

func (r *remote) request(ctx context.Context, peer, bytes int) (string, error) {
	m, err := r.call(ctx, "request", map[string]any{"peer": peer, "bytes": bytes, "seed": 1 + bytes + peer})
	return m.From, err
}

func (r *remote) disconnect(ctx context.Context, peer int) error {
	_, err := r.call(ctx, "disconnect", map[string]any{"peer": peer})
	return err
}

func (r *remote) unaccept(ctx context.Context, transport string) error {
	_, err := r.call(ctx, "unaccept", map[string]any{"transport": transport})
	return err
}

func (r *remote) accept(ctx context.Context, transport string, secure bool) (endpoint, error) {
	to := endpoint{transport: transport, host: "127.0.0.1", secure: secure}
	if transport == "webrtc" {
		_, err := r.call(ctx, "accept", map[string]any{"transport": transport})
		return to, err
	}
	args := map[string]any{"transport": transport, "secure": secure, "cert": suite.pki.certFile, "key": suite.pki.keyFile}
	// The published clients take no port 0, and a free port can be gone by the
	// time it is used.
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return endpoint{}, err
		}
		args["port"] = port
		m, err := r.call(ctx, "accept", args)
		if err == nil {
			to.port = m.Port
			return to, nil
		}
		if attempt == 5 || !strings.Contains(err.Error(), "EADDRINUSE") {
			return endpoint{}, err
		}
	}
}
