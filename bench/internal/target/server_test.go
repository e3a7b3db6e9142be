package target

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// addrVariable makes this test's binary a server, on the address that it holds, or one that fails.
const addrVariable = "BENCH_TARGET_ADDR"

func TestMain(m *testing.M) {
	switch addr := os.Getenv(addrVariable); addr {
	case "":
		goleak.VerifyTestMain(m)
	case "fail":
		fmt.Println("no such address")
		os.Exit(3)
	default:
		l, err := net.Listen("tcp", addr)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		_, _ = io.Copy(io.Discard, os.Stdin)
		l.Close()
	}
}

func TestServer(t *testing.T) {
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	addr := Loopback(port)
	t.Setenv(addrVariable, addr)
	split, err := NewSplit()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), Command{Name: "test", Path: os.Args[0], Split: split}, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if _, err := s.CPU(); err != nil {
		t.Error(err)
	}
	if resident, err := s.Resident(); err != nil || resident == 0 {
		t.Errorf("resident are %d bytes, %v", resident, err)
	}
	if _, err := s.Others(); err != nil {
		t.Error(err)
	}
	if err := s.Err(); err != nil {
		t.Error(err)
	}
	s.Stop()
	if err := s.Err(); err == nil {
		t.Error("server that was stopped is not gone")
	}
}

func TestStartSaysWhatTheServerSaid(t *testing.T) {
	t.Setenv(addrVariable, "fail")
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Command{Name: "test", Path: os.Args[0]}, Loopback(port))
	if err == nil || !strings.Contains(err.Error(), "no such address") {
		t.Errorf("error is %v, want what the server printed", err)
	}
}

func TestAside(t *testing.T) {
	split, err := NewSplit()
	if err != nil {
		t.Fatal(err)
	}
	ran := false
	if err := split.Aside(func() error { ran = true; return io.EOF }); err != io.EOF || !ran {
		t.Errorf("ran is %v, error %v", ran, err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var out tail
	for range 10 {
		fmt.Fprintf(&out, "%s", bytes.Repeat([]byte{'x'}, tailBytes/4))
	}
	fmt.Fprintln(&out, "the end")
	if got := out.String(); len(got) > tailBytes || !strings.HasSuffix(got, "xthe end") {
		t.Errorf("kept %d bytes that end in %q", len(got), got[len(got)-10:])
	}
}
