package target

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// userHZ is the unit of the times in /proc: sysconf(_SC_CLK_TCK), which Linux fixes for programs at 100 on every
// architecture that Go has.
const userHZ = 100

// cpuTime parses /proc/PID/stat: the time that all threads of a process, ended ones too, spent in user and kernel mode
// (proc_pid_stat(5), fields 14 and 15).
func cpuTime(stat []byte) (time.Duration, error) {
	// Field 2 is the program's name in parentheses, and may hold anything.
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, fmt.Errorf("no program name in %q", stat)
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("%d fields after the program name in %q", len(fields), stat)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("parse times: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / userHZ, nil
}

// residentBytes parses VmRSS of /proc/PID/status.
func residentBytes(status []byte) (int64, error) {
	for line := range bytes.Lines(status) {
		value, ok := bytes.CutPrefix(line, []byte("VmRSS:"))
		if !ok {
			continue
		}
		fields := bytes.Fields(value)
		if len(fields) != 2 || string(fields[1]) != "kB" {
			break
		}
		n, err := strconv.ParseInt(string(fields[0]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("parse VmRSS: %w", err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("no VmRSS in %q", status)
}

func readProc[T any](pid int, file string, parse func([]byte) (T, error)) (T, error) {
	path := fmt.Sprintf("/proc/%d/%s", pid, file)
	b, err := os.ReadFile(path)
	if err != nil {
		var zero T
		return zero, err
	}
	value, err := parse(b)
	if err != nil {
		return value, fmt.Errorf("read %s: %w", path, err)
	}
	return value, nil
}
