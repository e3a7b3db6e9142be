package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/pion/stun"
)

// resend is how long an answer over UDP is waited for before the question is asked again.
const resend = 500 * time.Millisecond

// STUN over a stream is messages one after the other, each with the length of what
// follows its header in bytes 2 and 3 (RFC 8489, sections 5 and 6.2.2).
const (
	stunHeader = 20
	// maxAnswer bounds an answer; one to this question has about 60 bytes.
	maxAnswer = 1500
)

// errNotSTUN says that something else answers.
var errNotSTUN = errors.New("no answer of STUN")

// bind asks a server where it sees this machine (RFC 8489) over a socket, which it
// closes.
func bind(ctx context.Context, socket net.Conn, ask func(net.Conn, *stun.Message) error) error {
	defer socket.Close()
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer stop()
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return err
	}
	err = ask(socket, request)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the rest is that the socket was closed for it
	}
	return err
}

// overPackets asks again and again until there is an answer, or the socket is closed.
func overPackets(socket net.Conn, request *stun.Message) error {
	answer := make([]byte, maxAnswer)
	for {
		// A host that refuses says so at once, and may take the question a moment later.
		if _, err := socket.Write(request.Raw); err != nil {
			return err
		}
		socket.SetReadDeadline(time.Now().Add(resend))
		n, err := socket.Read(answer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			// It is asked again.
		case err != nil:
			return err
		case answers(answer[:n], request):
			return nil
		}
	}
}

// overStream asks once: what is lost is sent again by TCP.
func overStream(stream net.Conn, request *stun.Message) error {
	if _, err := stream.Write(request.Raw); err != nil {
		return err
	}
	answer := make([]byte, stunHeader, maxAnswer)
	if _, err := io.ReadFull(stream, answer); err != nil {
		return err
	}
	length := int(binary.BigEndian.Uint16(answer[2:]))
	if !stun.IsMessage(answer) || length > maxAnswer-stunHeader {
		return errNotSTUN
	}
	answer = answer[:stunHeader+length]
	if _, err := io.ReadFull(stream, answer[stunHeader:]); err != nil {
		return err
	}
	if !answers(answer, request) {
		return errNotSTUN
	}
	return nil
}

func answers(answer []byte, request *stun.Message) bool {
	message := &stun.Message{Raw: answer}
	return message.Decode() == nil && message.TransactionID == request.TransactionID && message.Type == stun.BindingSuccess
}
