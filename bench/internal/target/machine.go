package target

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Others is the processor time that was used by programs other than the benchmark and its server, all cores together. It
// only says something as a difference of two readings.
func (s *Server) Others() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	all, err := busyTime(b)
	if err != nil {
		return 0, fmt.Errorf("read /proc/stat: %w", err)
	}
	server, err := s.CPU()
	if err != nil {
		return 0, err
	}
	self, err := readProc(os.Getpid(), "stat", cpuTime)
	return all - server - self, err
}

// busyTime parses /proc/stat: the time that all cores were not idle (proc_stat(5)).
func busyTime(stat []byte) (time.Duration, error) {
	line, _, _ := bytes.Cut(stat, []byte{'\n'})
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return 0, fmt.Errorf("first line is %q", line)
	}
	var ticks int64
	for i, field := range fields[1:9] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("parse times: %w", err)
		}
		if idle := i == 3 || i == 4; !idle { // idle, iowait
			ticks += n
		}
	}
	return time.Duration(ticks) * time.Second / userHZ, nil
}
