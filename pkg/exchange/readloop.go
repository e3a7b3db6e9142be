package exchange

import (
	"time"

	"github.com/peerexchange/peerexchange/pkg/exchange/internal/mux"
)

// run is the peer's goroutine: it reads until the connection ends. When the peer
// is ready another one goes on, with a stack that the handshake has not grown.
func (p *Peer) run() {
	received, err := p.greet()
	if err == nil {
		err = p.session.RunFrom(received)
	}
	if err == mux.ErrPaused {
		p.ex.running.Go(p.goOn)
		return
	}
	p.over(err)
}

// goOn reads from a peer that is ready.
func (p *Peer) goOn() { p.over(p.session.Run()) }

// over ends a peer whose read loop ended.
func (p *Peer) over(err error) {
	p.stopHandshakeTimer()
	if p.refusal != nil {
		err = p.refusal
	}
	p.fail(err)
	p.ended()
	p.session.Wait()
	p.release()
}

// greet begins the conversation, or finds out in which generation the other node
// has begun it. It returns what came of the multiplexed stream by then.
func (p *Peer) greet() ([]byte, error) {
	p.startHandshakeTimer()
	if p.outgoing {
		if err := p.speak(p.protocol); err != nil {
			return nil, err
		}
	}
	protocol, received, err := detect(p.conn)
	if err != nil {
		return nil, err
	}
	if p.transport == Relay && protocol != V0 {
		return nil, ErrVersionMismatch
	}
	if !p.outgoing {
		p.session.Hold() // our hello leaves together with the answer to theirs
		return received, p.speak(protocol)
	}
	if protocol != p.protocol {
		return nil, ErrVersionMismatch
	}
	return received, nil
}

// speak begins the conversation.
func (p *Peer) speak(protocol Protocol) (err error) {
	p.protocol = protocol
	data := "data"
	if protocol == V1 {
		data = "data:" + p.ex.id
		p.dialect = newV1(p)
		p.session.SendMagic([]byte(magic))
	} else {
		p.dialect = newV0(p)
	}
	if p.control, err = p.session.Channel("pxp", controlReceiver{p}); err != nil {
		return err
	}
	channel, err := p.session.Channel(data, dataReceiver{p})
	if err != nil {
		return err
	}
	p.stream.bind(channel)
	return p.dialect.begin()
}

// controlReceiver takes the bytes of the control channel.
type controlReceiver struct{ p *Peer }

func (r controlReceiver) Receive(piece []byte) error {
	r.p.heard.Store(time.Now().UnixNano())
	return r.p.lines.Feed(piece, r.p.takeLine)
}

// End leaves a peer that will not say anything any more but may still listen,
// as npm nodes do.
func (r controlReceiver) End() {}

// takeLine passes a control message on, unless the peer was closed and there is
// nobody to answer it.
func (p *Peer) takeLine(line []byte) error {
	if p.isClosed() {
		return nil
	}
	return p.dialect.line(line)
}

// dataReceiver takes the bytes of the data channel.
type dataReceiver struct{ p *Peer }

func (r dataReceiver) Receive(piece []byte) error {
	r.p.heard.Store(time.Now().UnixNano())
	return r.p.stream.Receive(piece)
}

func (r dataReceiver) End() { r.p.stream.End() }
