package webrtc

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLoggerLevels(t *testing.T) {
	var out bytes.Buffer
	log := newLoggerFactory(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: levelPionTrace}))).NewLogger("ice")
	for _, test := range []struct {
		say  func()
		want string
	}{
		{func() { log.Error("e") }, "level=WARN msg=pion scope=ice detail=e"},
		{func() { log.Errorf("%d", 1) }, "level=WARN msg=pion scope=ice detail=1"},
		{func() { log.Warn("100%d") }, "level=DEBUG msg=pion scope=ice detail=100%d"},
		{func() { log.Warnf("%d", 1) }, "level=DEBUG "},
		{func() { log.Info("i") }, "level=DEBUG "},
		{func() { log.Infof("i") }, "level=DEBUG "},
		{func() { log.Debug("d") }, "level=DEBUG-4"},
		{func() { log.Debugf("d") }, "level=DEBUG-4"},
		{func() { log.Trace("t") }, "level=DEBUG-8"},
		{func() { log.Tracef("t") }, "level=DEBUG-8"},
	} {
		out.Reset()
		test.say()
		if !strings.Contains(out.String(), test.want) {
			t.Errorf("logged %q, want %q", out.String(), test.want)
		}
	}
}

func TestLoggerIsNotFlooded(t *testing.T) {
	var out bytes.Buffer
	log := newLoggerFactory(slog.New(slog.NewTextHandler(&out, nil))).NewLogger("ice")
	for range 10_000 {
		log.Error("a packet of a stranger")
	}
	if lines := strings.Count(out.String(), "\n"); lines < 1 || lines > 1000 {
		t.Errorf("logged %d lines", lines)
	}
}
