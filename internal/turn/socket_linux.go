package turn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is a UDP socket that is read by one goroutine and written by many. It goes
// around net.UDPConn for what is done for each message: several messages are received
// by one system call, none is tried in vain only to learn that there are no more, and
// system calls that cannot block are made without telling the scheduler.
type socket struct {
	// Static after construction.
	conn  *net.UDPConn
	raw   syscall.RawConn
	fd    uintptr
	v6    bool // an IPv6 socket, which reaches IPv4 by mapped addresses
	local netip.AddrPort
	// Owned by the goroutine that receives.
	batch    *batch
	to       receiver
	keep     bool // the batch stays while waiting
	stopped  bool
	err      error
	readable func(uintptr) bool // step, made once

	mu sync.RWMutex // held for reading while fd is used by senders
	// Guarded by mu.
	closed bool
}

// newSocket takes over conn.
func newSocket(conn *net.UDPConn) (*socket, error) {
	s := &socket{conn: conn, local: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	s.readable = s.step
	raw, err := conn.SyscallConn()
	if err == nil {
		s.raw = raw
		var family error
		err = raw.Control(func(fd uintptr) {
			var sa unix.Sockaddr
			s.fd = fd
			if sa, family = unix.Getsockname(int(fd)); family == nil {
				_, s.v6 = sa.(*unix.SockaddrInet6)
			}
		})
		err = errors.Join(err, family)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("set up socket %v: %w", s.local, err)
	}
	return s, nil
}

func (s *socket) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.conn.Close()
}

// receive hands messages to the receiver until that stops it or the socket is closed.
func (s *socket) receive() error {
	if s.batch != nil && s.drain() {
		return nil
	}
	s.stopped, s.err = false, nil
	err := s.raw.Read(s.readable)
	if s.stopped {
		return nil
	}
	s.release()
	return errors.Join(s.err, err)
}

// step runs when there may be something to receive. What it returns false for is that
// it wants to wait for more. Since it is the poller that then says when to come back,
// and remembers what it has to say until it is asked, a batch that is not full is
// reason enough to wait: nothing that arrives later is missed.
func (s *socket) step(fd uintptr) (done bool) {
	for {
		if s.batch == nil {
			s.batch = batches.Get().(*batch)
		}
		n, errno := s.batch.sys.receive(fd)
		switch errno {
		case 0:
		case unix.EAGAIN:
			s.release()
			return false
		case unix.EINTR, unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EMSGSIZE:
			continue // what became of an earlier message
		default:
			s.err = errno
			return true
		}
		s.batch.n, s.batch.next = n, 0
		for i := range n {
			s.batch.sys.unpack(i, &s.batch.packets[i])
		}
		if s.drain() {
			s.stopped = true
			return true
		}
		if n < batchSize {
			s.release()
			return false
		}
	}
}

// drain hands over the rest of a batch.
func (s *socket) drain() (stopped bool) {
	b := s.batch
	if b.next == b.n {
		return false
	}
	s.to.begin()
	for b.next < b.n && !stopped {
		p := &b.packets[b.next]
		b.next++
		stopped = s.to.take(p)
	}
	s.to.end()
	return stopped
}

func (s *socket) release() {
	if s.batch != nil && !s.keep {
		batches.Put(s.batch)
		s.batch = nil
	}
}

// send sends a message. It does not wait: what does not fit in the socket's buffer is
// lost, as on the rest of its way.
func (s *socket) send(p []byte, to netip.AddrPort) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return net.ErrClosed
	}
	var sa sockaddr
	size := sa.set(to, s.v6)
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, s.fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&sa)), uintptr(size))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// sendAll sends several messages to one address, and returns how many of them went.
func (s *socket) sendAll(b *batch, frames [][]byte, to netip.AddrPort) (sent int) {
	if len(frames) == 1 {
		if s.send(frames[0], to) != nil {
			return 0
		}
		return 1
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0
	}
	return b.sys.send(s.fd, frames, to, s.v6)
}

// sockaddr has room for an address of either family.
type sockaddr struct{ unix.RawSockaddrInet6 }

func (sa *sockaddr) set(to netip.AddrPort, v6 bool) (size uint32) {
	port := to.Port()
	ip := to.Addr()
	if !v6 {
		in4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		in4.Family = unix.AF_INET
		putPort(&in4.Port, port)
		if ip = ip.Unmap(); ip.Is4() { // or else it stays 0.0.0.0, which cannot be sent to
			in4.Addr = ip.As4()
		}
		return unix.SizeofSockaddrInet4
	}
	sa.Family = unix.AF_INET6
	putPort(&sa.Port, port)
	sa.Addr = ip.As16()
	sa.Scope_id = 0
	if zone := ip.Zone(); zone != "" {
		if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			sa.Scope_id = uint32(n)
		}
	}
	return unix.SizeofSockaddrInet6
}

func (sa *sockaddr) get() netip.AddrPort {
	if sa.Family == unix.AF_INET {
		in4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(in4.Addr), getPort(&in4.Port))
	}
	ip := netip.AddrFrom16(sa.Addr).Unmap()
	if sa.Scope_id != 0 && ip.Is6() {
		ip = ip.WithZone(strconv.FormatUint(uint64(sa.Scope_id), 10))
	}
	return netip.AddrPortFrom(ip, getPort(&sa.Port))
}

func putPort(field *uint16, port uint16) {
	b := (*[2]byte)(unsafe.Pointer(field))
	b[0], b[1] = byte(port>>8), byte(port)
}

func getPort(field *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(field))
	return uint16(b[0])<<8 | uint16(b[1])
}

// mmsghdr is the kernel's struct of that name (recvmmsg(2)).
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// batchSys is what the system needs to know of a batch.
type batchSys struct {
	in, out         [batchSize]mmsghdr
	inVecs, outVecs [batchSize]unix.Iovec
	from            [batchSize]sockaddr
	to              sockaddr
}

func (y *batchSys) init(b *batch) {
	for i := range y.in {
		buf := b.packets[i].buf[headroom : headroom+maxMessageBytes]
		y.inVecs[i].Base = &buf[0]
		y.inVecs[i].SetLen(len(buf))
		h := &y.in[i].hdr
		h.Iov = &y.inVecs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&y.from[i]))
		h.Namelen = uint32(unsafe.Sizeof(y.from[i]))

		y.out[i].hdr.Iov = &y.outVecs[i]
		y.out[i].hdr.SetIovlen(1)
		y.out[i].hdr.Name = (*byte)(unsafe.Pointer(&y.to))
	}
}

func (y *batchSys) receive(fd uintptr) (int, syscall.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&y.in)), batchSize, unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

func (y *batchSys) unpack(i int, p *packet) {
	h := &y.in[i]
	p.n, p.long = int(h.n), h.hdr.Flags&unix.MSG_TRUNC != 0
	p.from = y.from[i].get()
	h.hdr.Namelen = uint32(unsafe.Sizeof(y.from[i])) // the system has set it
}

func (y *batchSys) send(fd uintptr, frames [][]byte, to netip.AddrPort, v6 bool) (sent int) {
	size := y.to.set(to, v6)
	for i, frame := range frames {
		y.outVecs[i].Base = unsafe.SliceData(frame)
		y.outVecs[i].SetLen(len(frame))
		y.out[i].hdr.Namelen = size
	}
	for i := 0; i < len(frames); {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&y.out[i])), uintptr(len(frames)-i),
			unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			i += int(n)
			sent += int(n)
		case unix.EINTR:
		case unix.EAGAIN:
			return sent
		default:
			i++ // that one cannot be sent, others may
		}
	}
	return sent
}

// shareAddress lets several sockets listen on one address, among which the kernel
// divides clients by a hash of their address.
func shareAddress(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, failed)
}

const canShareAddress = true
