package mux

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A session whose writes fail still receives what the other side said before it
// went away, however slowly it is taken.
func TestMuteSessionReadsOn(t *testing.T) {
	broken := errors.New("broken pipe")
	for _, end := range []struct {
		name  string
		close bool
		want  error
	}{{"closed by the other side", true, io.EOF}, {"cut off", false, broken}} {
		t.Run(end.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				defer theirs.Close()
				s := New(&brokenConn{Conn: ours, err: broken}, Config{})
				got := make(chan string, 3)
				c, err := s.Channel("data", receiverFunc(func(p []byte) error {
					time.Sleep(lastWords) // an application that takes its time
					got <- string(p)
					return nil
				}))
				if err != nil {
					t.Fatal(err)
				}
				result := make(chan error, 1)
				go func() { result <- s.Run() }()
				if err := c.Send([]byte("anybody there?")); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if s.Err() != nil {
					t.Fatalf("ended with %v", s.Err())
				}
				if err := c.Send([]byte("hello?")); err != nil {
					t.Errorf("Send: %v", err)
				}
				if n, err := c.Write([]byte("hello?")); n != 0 || !errors.Is(err, broken) {
					t.Errorf("Write: %d, %v", n, err)
				}
				if err := s.Flush(t.Context()); err == nil {
					t.Error("Flush: no error")
				}
				for _, f := range []frame{{0, TypeOpen, "data"}, {0, TypeData, "last "}, {0, TypeData, "words"}} {
					theirs.Write(encode(f))
				}
				if end.close {
					theirs.Close()
				}
				if a, b := <-got, <-got; a+b != "last words" {
					t.Errorf("received %q and %q", a, b)
				}
				if err := <-result; !errors.Is(err, end.want) {
					t.Errorf("ended with %v, want %v", err, end.want)
				}
				s.Wait()
			})
		})
	}
}
