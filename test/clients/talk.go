package clients

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
)

// talk is the application of node/talk.js for a Go peer: it tells its name and
// echoes bytes.
type talk struct {
	conn   net.Conn
	name   string
	onName func(name string)

	turn sync.Mutex // held by the one request in progress
	ask  chan *question
}

// talkHead is the line before the bytes. A request says how many follow.
type talkHead struct {
	From  string `json:"from"`
	Bytes *int   `json:"bytes,omitempty"`
}

// question is a request that waits for its bytes to come back.
type question struct {
	sent   []byte
	answer chan error // gets one value
	from   string     // set before answer is given
}

func newTalk(conn net.Conn, name string, onName func(string)) *talk {
	return &talk{conn: conn, name: name, onName: onName, ask: make(chan *question, 1)}
}

// serve echoes and takes answers until the connection ends.
func (k *talk) serve() error {
	in := bufio.NewReaderSize(k.conn, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return err
		}
		var head talkHead
		if err := json.Unmarshal(line, &head); err != nil {
			return fmt.Errorf("talk line %.100q: %w", line, err)
		}
		if head.Bytes != nil {
			k.onName(head.From)
			if err := k.say(talkHead{From: k.name}); err != nil {
				return err
			}
			if _, err := io.CopyN(k.conn, in, int64(*head.Bytes)); err != nil {
				return err
			}
			continue
		}
		select {
		case q := <-k.ask:
			k.onName(head.From)
			q.from = head.From
			err := compare(in, q.sent)
			q.answer <- err
			if err != nil {
				return err
			}
		default:
			return fmt.Errorf("an answer of %s that nothing asked for", head.From)
		}
	}
}

func compare(in io.Reader, sent []byte) error {
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(in, got); err != nil {
		return err
	}
	if !bytes.Equal(got, sent) {
		return fmt.Errorf("%d bytes came back different", len(sent))
	}
	return nil
}

func (k *talk) say(head talkHead) error {
	line, err := json.Marshal(head)
	if err != nil {
		return err
	}
	_, err = k.conn.Write(append(line, '\n'))
	return err
}

// request returns the other side's name once n bytes came back unchanged. ended
// is closed when serve returned.
func (k *talk) Request(ctx context.Context, n int, ended <-chan struct{}) (string, error) {
	k.turn.Lock()
	defer k.turn.Unlock()
	q := &question{sent: make([]byte, n), answer: make(chan error, 1)}
	noise := rand.NewChaCha8([32]byte{byte(n)})
	noise.Read(q.sent)
	k.ask <- q

	// The answer is read while this is written, so neither side's buffers fill up.
	if err := k.say(talkHead{From: k.name, Bytes: &n}); err != nil {
		return "", err
	}
	if _, err := k.conn.Write(q.sent); err != nil {
		return "", err
	}
	select {
	case err := <-q.answer:
		return q.from, err
	case <-ended:
		return "", fmt.Errorf("connection ended before %d bytes came back", n)
	case <-ctx.Done():
		return "", fmt.Errorf("wait for %d bytes to come back: %w", n, ctx.Err())
	}
}
