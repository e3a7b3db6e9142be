package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/peerexchange/peerexchange/bench/internal/target"
	"github.com/peerexchange/peerexchange/pkg/exchange"
	"github.com/peerexchange/peerexchange/pkg/transports"
	"github.com/peerexchange/peerexchange/pkg/transports/tcp"
)

// copyBuffer is what each write takes and each read offers, of a Peer and of the plain connection alike.
const copyBuffer = 64 << 10

// data is the row about an application's bytes: both ends in this process, with a core each.
func (b *benchmark) data(ctx context.Context) ([]row, error) {
	const name = "data through a Peer over tcp"
	if !b.wants(name) {
		return nil, nil
	}
	made, err := b.compareData(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	made.measured = name
	return []row{made}, nil
}

// compareData copies through both in turns. As with rates, the ratio is the median of the rounds' ratios.
func (b *benchmark) compareData(ctx context.Context) (row, error) {
	plain, err := tcpPair(ctx)
	if err != nil {
		return row{}, err
	}
	defer plain.close()
	peers, err := peerPair(ctx)
	if err != nil {
		return row{}, err
	}
	defer peers.close()

	var here, reference, ratios []float64
	for range b.plan.copies {
		ours, err := peers.copy(b.plan.copyBytes)
		if err != nil {
			return row{}, fmt.Errorf("copy through a Peer: %w", err)
		}
		theirs, err := plain.copy(b.plan.copyBytes)
		if err != nil {
			return row{}, fmt.Errorf("copy through TCP: %w", err)
		}
		b.say("here %s, plain TCP %s", throughput(ours), throughput(theirs))
		here, reference, ratios = append(here, ours), append(reference, theirs), append(ratios, ours/theirs)
		if err := ctx.Err(); err != nil {
			return row{}, err
		}
	}
	ratio := median(ratios)
	return row{
		here:   throughput(median(here)),
		npm:    throughput(median(reference)) + " (plain TCP)",
		ratio:  fmt.Sprintf("%.2fx", ratio),
		target: bound{value: 0.8, unit: "x"}.judge(ratio),
	}, nil
}

func throughput(bytesPerSecond float64) string { return fmt.Sprintf("%.2f GB/s", bytesPerSecond/1e9) }

// pair are two ends of one connection.
type pair struct {
	from, to net.Conn
	also     []io.Closer
}

func (p *pair) close() {
	closers := p.also
	for _, conn := range []net.Conn{p.from, p.to} {
		if conn != nil {
			closers = append([]io.Closer{conn}, closers...)
		}
	}
	for _, c := range closers {
		c.Close()
	}
}

// copy moves n bytes and returns how many that were in a second, from the first write to the last read.
func (p *pair) copy(n int64) (bytesPerSecond float64, err error) {
	deadline := time.Now().Add(time.Minute)
	if err := errors.Join(p.from.SetDeadline(deadline), p.to.SetDeadline(deadline)); err != nil {
		return 0, err
	}
	began := time.Now()
	var group errgroup.Group
	group.Go(func() error {
		buf := make([]byte, copyBuffer)
		for left := n; left > 0; left -= int64(len(buf)) {
			if _, err := p.from.Write(buf[:min(left, copyBuffer)]); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		buf := make([]byte, copyBuffer)
		for left := n; left > 0; {
			read, err := p.to.Read(buf)
			if err != nil {
				return err
			}
			left -= int64(read)
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return 0, err
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

func tcpPair(ctx context.Context) (*pair, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	var dialer net.Dialer
	p := &pair{}
	if p.from, err = dialer.DialContext(ctx, "tcp", l.Addr().String()); err != nil {
		return nil, err
	}
	if p.to, err = l.Accept(); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// peerPair connects two nodes of one network.
func peerPair(ctx context.Context) (*pair, error) {
	accepted := make(chan *exchange.Peer, 1)
	acceptor, err := exchange.New(networkID, exchange.Config{
		Transports: []transports.Transport{tcp.New(tcp.Config{})},
		OnPeer:     func(p *exchange.Peer) { accepted <- p },
	})
	if err != nil {
		return nil, err
	}
	p := &pair{also: []io.Closer{acceptor}}
	dialer, err := exchange.New(networkID, exchange.Config{Transports: []transports.Transport{tcp.New(tcp.Config{})}})
	if err != nil {
		p.close()
		return nil, err
	}
	p.also = append(p.also, dialer)
	port, err := target.FreePort()
	if err == nil {
		err = acceptor.Accept(ctx, transports.TCP, transports.Options{Host: "127.0.0.1", Port: port})
	}
	if err != nil {
		p.close()
		return nil, err
	}
	from, err := dialer.Connect(ctx, transports.TCP, "127.0.0.1", transports.Options{Port: port})
	if err != nil {
		p.close()
		return nil, err
	}
	p.from = from
	select {
	case p.to = <-accepted:
		return p, nil
	case <-ctx.Done():
		p.close()
		return nil, ctx.Err()
	}
}
