package main

import (
	"strings"
	"testing"
)

func TestPrintTable(t *testing.T) {
	var out strings.Builder
	err := printTable(&out, []row{
		{measured: "answers", here: "1,000", npm: "100", ratio: "10.0x", target: "≥ 8x met"},
		{measured: "allocations", here: "0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "" +
		"measured     here   npm  ratio  target\n" +
		"answers      1,000  100  10.0x  ≥ 8x met\n" +
		"allocations  0      -    -      -\n"
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out.String(), want)
	}
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		bound bound
		got   float64
		want  string
	}{
		{bound{}, 3, ""},
		{bound{value: 5, unit: "x"}, 5, "≥ 5x met"},
		{bound{value: 5, unit: "x"}, 4.99, "≥ 5x MISSED"},
		{bound{20, true, " KiB"}, 13, "≤ 20 KiB met"},
		{bound{20, true, " KiB"}, 21, "≤ 20 KiB MISSED"},
		{bound{atMost: true}, 0, "≤ 0 met"},
		{bound{atMost: true}, 1, "≤ 0 MISSED"},
	} {
		if got := test.bound.judge(test.got); got != test.want {
			t.Errorf("%+v judges %v to be %q, want %q", test.bound, test.got, got, test.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 999.4: "999", 1000: "1,000", 12345678: "12,345,678"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%v) = %q, want %q", n, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	values := []float64{9, 1, 5}
	if got := median(values); got != 5 || values[0] != 9 {
		t.Errorf("median is %v and values are %v", got, values)
	}
	if got := median([]float64{4, 1, 2, 9}); got != 3 {
		t.Errorf("median of four is %v, want 3", got)
	}
	if got := median(nil); got != 0 {
		t.Errorf("median of nothing is %v", got)
	}
}

func TestMostAllocations(t *testing.T) {
	const out = `goos: linux
BenchmarkRelay/batch=1-2     50000   9000 ns/op   12 B/op   1 allocs/op
BenchmarkRelay/batch=16-2    50000   1200 ns/op    0 B/op   0 allocs/op
PASS
`
	if got, err := mostAllocations([]byte(out)); err != nil || got != 1 {
		t.Errorf("got %d, %v, want 1", got, err)
	}
	if _, err := mostAllocations([]byte("PASS\n")); err == nil {
		t.Error("no result is no error")
	}
}

func TestCopy(t *testing.T) {
	b := &benchmark{plan: plan{copies: 1, copyBytes: 3*copyBuffer + 1}}
	made, err := b.compareData(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if made.here == "" || made.ratio == "" {
		t.Errorf("row is %+v", made)
	}
}
