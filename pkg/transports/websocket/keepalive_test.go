package websocket

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

func TestSilentPeerIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c, peer := newPair(t, Config{})
		pings := countPings(peer, false)
		received := receive(peer)
		if err := <-readAll(c); !errors.Is(err, ErrPingTimeout) {
			t.Errorf("Read: %v, want ErrPingTimeout", err)
		}
		if took := time.Since(start); took != 90*time.Second {
			t.Errorf("took %v, want 90 s: two pings without an answer", took)
		}
		<-received
		if *pings != 2 {
			t.Errorf("peer got %d pings, want 2", *pings)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, ErrPingTimeout) {
			t.Errorf("Write: %v, want ErrPingTimeout", err)
		}
	})
}

func TestAnsweringPeerStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{PingInterval: time.Second})
		pings := countPings(peer, true)
		received := receive(peer)
		read := readAll(c)
		time.Sleep(time.Hour + time.Millisecond)
		c.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read: %v, want net.ErrClosed", err)
		}
		<-received
		if *pings != 3600 {
			t.Errorf("peer got %d pings in an hour, want 3600", *pings)
		}
	})
}

func TestDataIsAsGoodAsAPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{PingInterval: time.Second})
		countPings(peer, false)
		receive(peer)
		read := readAll(c)
		for range 100 {
			time.Sleep(900 * time.Millisecond)
			if err := peer.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
		<-read
	})
}

// TestUnreadPeerStays checks that a peer is not blamed for answers that this
// side has not read.
func TestUnreadPeerStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{PingInterval: time.Second})
		countPings(peer, false)
		receive(peer)
		time.Sleep(time.Hour)
		wrote := make(chan error)
		go func() { wrote <- peer.WriteMessage(websocket.BinaryMessage, []byte("x")) }()
		if n, err := c.Read(make([]byte, 100)); n != 1 || err != nil {
			t.Errorf("Read = %d, %v; want 1, nil", n, err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
	})
}

// TestPeerThatTakesNothingStays checks that a peer is not blamed for pings that
// do not get through while it sends.
func TestPeerThatTakesNothingStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{})
		read := readAll(c)
		for range 100 {
			time.Sleep(20 * time.Second)
			if err := peer.WriteMessage(websocket.BinaryMessage, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		wrote := make(chan error)
		go func() {
			_, err := c.Write([]byte("data"))
			wrote <- err
		}()
		if _, message, err := peer.ReadMessage(); string(message) != "data" {
			t.Errorf("peer got %q, %v", message, err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		c.Close()
		<-read
	})
}

func TestSilentPeerThatTakesNothingIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := newPair(t, Config{})
		if err := <-readAll(c); !errors.Is(err, ErrPingTimeout) {
			t.Errorf("Read: %v, want ErrPingTimeout", err)
		}
	})
}

func TestNoPingsIfUnwanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{PingInterval: -1})
		pings := countPings(peer, false)
		received := receive(peer)
		read := readAll(c)
		time.Sleep(24 * time.Hour)
		c.Close()
		<-read
		<-received
		if *pings != 0 {
			t.Errorf("peer got %d pings, want none", *pings)
		}
	})
}

// TestPongsDoNotHoldUpReading checks that a peer which does not read can flood
// with pings, and that nothing piles up.
func TestPongsDoNotHoldUpReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer := newPair(t, Config{PingInterval: -1})
		read := make(chan int)
		go func() {
			n, _ := io.ReadFull(c, make([]byte, 4))
			read <- n
		}()
		start := time.Now()
		for _, data := range append(make([]string, 1000), "latest") {
			if err := peer.WriteControl(websocket.PingMessage, []byte(data), time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := peer.WriteMessage(websocket.BinaryMessage, []byte("data")); err != nil {
			t.Fatal(err)
		}
		if n := <-read; n != 4 {
			t.Errorf("read %d bytes, want 4", n)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("reading was held up for %v", took)
		}
		pongs := 0
		latest := errors.New("latest")
		peer.SetPongHandler(func(data string) error {
			pongs++
			if data == "latest" {
				return latest
			}
			return nil
		})
		if err := <-receive(peer); err != latest {
			t.Errorf("peer gets %v, want the answer to its latest ping", err)
		}
		if pongs > 2 {
			t.Errorf("%d pongs, want the first, perhaps, and the latest", pongs)
		}
	})
}
