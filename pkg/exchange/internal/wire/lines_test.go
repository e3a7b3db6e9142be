package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	const input = "one\ntwo\r\n\n\r\n three \nhalf \r of it\r\n\xff\n" + "four\r\r\nrest"
	want := []string{"one", "two", " three ", "half \r of it", "\xff", "four\r"}
	for size := 1; size <= len(input); size++ {
		var lines Lines
		var got []string
		for chunk := range slices.Chunk([]byte(input), size) {
			err := lines.Feed(chunk, func(line []byte) error {
				got = append(got, string(line))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("in pieces of %d: %q", size, got)
		}
	}
}

func TestLinesHoldNothingBetweenLines(t *testing.T) {
	var lines Lines
	ignore := func([]byte) error { return nil }
	for _, chunk := range []string{"a", "b\nc", "d\n", "e\nf\n"} {
		if err := lines.Feed([]byte(chunk), ignore); err != nil {
			t.Fatal(err)
		}
		if holds := lines.partial != nil; holds != !strings.HasSuffix(chunk, "\n") {
			t.Errorf("after %q holds memory: %t", chunk, holds)
		}
	}
}

func TestLinesTooLong(t *testing.T) {
	for _, test := range []struct {
		chunks []string
		ok     bool
	}{
		{[]string{"12345\n"}, true},
		{[]string{"12345\r\n"}, true},
		{[]string{"12", "345", "\r", "\n"}, true},
		{[]string{"123456\n"}, false},
		{[]string{"123456\r\n"}, false},
		{[]string{"1234567"}, false},
		{[]string{"123", "4567"}, false},
		{[]string{"123", "456\n"}, false},
		{[]string{"123", "45678\n"}, false},
	} {
		lines := Lines{Max: 5}
		var err error
		for _, chunk := range test.chunks {
			if err = lines.Feed([]byte(chunk), func([]byte) error { return nil }); err != nil {
				break
			}
		}
		if test.ok && err != nil || !test.ok && !errors.Is(err, ErrMessageTooLarge) {
			t.Errorf("%q: %v", test.chunks, err)
		}
		if lines.partial != nil {
			t.Errorf("%q: memory held after the end", test.chunks)
		}
	}
}

func TestLinesStopAtAnError(t *testing.T) {
	var lines Lines
	stop := errors.New("stop")
	n := 0
	err := lines.Feed([]byte("a\nb\nc\n"), func(line []byte) error {
		if n++; string(line) == "b" {
			return stop
		}
		return nil
	})
	if err != stop || n != 2 {
		t.Errorf("%v after %d lines", err, n)
	}
}
