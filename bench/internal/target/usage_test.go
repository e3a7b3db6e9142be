package target

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestCPUTime(t *testing.T) {
	const line = "7913 (a )b (c) R 7905 7905 4754 0 -1 4194304 99 0 0 0 250 31 0 0 20 0 1 0 110162 3133440 395\n"
	got, err := cpuTime([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	if want := 2810 * time.Millisecond; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, bad := range []string{"", "1 x R 2 3", "1 (x) R 2 3", strings.Replace(line, "250", "x", 1)} {
		if _, err := cpuTime([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a stat line", bad)
		}
	}
}

func TestResidentBytes(t *testing.T) {
	got, err := residentBytes([]byte("Name:\tseed\nVmHWM:\t  90 kB\nVmRSS:\t   64 kB\nThreads:\t5\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(64 << 10); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
	for _, bad := range []string{"", "Name:\tseed\n", "VmRSS:\t64\n", "VmRSS:\tx kB\n"} {
		if _, err := residentBytes([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a status", bad)
		}
	}
}

func TestBusyTime(t *testing.T) {
	got, err := busyTime([]byte("cpu  100 2 30 9000 4000 5 6 7 80 90\ncpu0 1 2 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := 1500 * time.Millisecond; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, bad := range []string{"", "cpu 1 2\n", "cpu 1 2 3 4 5 6 x 8\n", "cpu0 1 2 3 4 5 6 7 8\n"} {
		if _, err := busyTime([]byte(bad)); err == nil {
			t.Errorf("%q was taken for a stat", bad)
		}
	}
}

func TestReadProc(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Logf("the benchmark cannot run here: %v", err)
		return
	}
	if _, err := readProc(os.Getpid(), "stat", cpuTime); err != nil {
		t.Error(err)
	}
	resident, err := readProc(os.Getpid(), "status", residentBytes)
	if err != nil || resident < 1<<20 {
		t.Errorf("resident are %d bytes, %v", resident, err)
	}
}
