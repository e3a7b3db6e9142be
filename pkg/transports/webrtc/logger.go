package webrtc

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
	"golang.org/x/time/rate"
)

// What pion says about packets of strangers must not fill a disk: above debug
// level this many lines a second pass, the rest is dropped.
const (
	logLinesPerSecond = 1
	logBurst          = 20
)

// Levels below debug, for what pion says at debug and trace level.
const (
	levelPionDebug = slog.LevelDebug - 4
	levelPionTrace = slog.LevelDebug - 8
)

// loggerFactory hands pion loggers that write to a slog.Logger. Its errors are
// warnings here. Its warnings are for who debugs: every connection that succeeds
// has some, about candidates that were tried too early or in vain.
type loggerFactory struct {
	log   *slog.Logger
	limit *rate.Limiter
}

func newLoggerFactory(log *slog.Logger) *loggerFactory {
	return &loggerFactory{log: log, limit: rate.NewLimiter(logLinesPerSecond, logBurst)}
}

// NewLogger implements logging.LoggerFactory.
func (f *loggerFactory) NewLogger(scope string) logging.LeveledLogger {
	return &logger{factory: f, scope: scope}
}

type logger struct {
	factory *loggerFactory
	scope   string
}

func (l *logger) Trace(msg string)                  { l.write(levelPionTrace, "%s", msg) }
func (l *logger) Tracef(format string, args ...any) { l.write(levelPionTrace, format, args...) }
func (l *logger) Debug(msg string)                  { l.write(levelPionDebug, "%s", msg) }
func (l *logger) Debugf(format string, args ...any) { l.write(levelPionDebug, format, args...) }
func (l *logger) Info(msg string)                   { l.write(slog.LevelDebug, "%s", msg) }
func (l *logger) Infof(format string, args ...any)  { l.write(slog.LevelDebug, format, args...) }
func (l *logger) Warn(msg string)                   { l.write(slog.LevelDebug, "%s", msg) }
func (l *logger) Warnf(format string, args ...any)  { l.write(slog.LevelDebug, format, args...) }
func (l *logger) Error(msg string)                  { l.write(slog.LevelWarn, "%s", msg) }
func (l *logger) Errorf(format string, args ...any) { l.write(slog.LevelWarn, format, args...) }

func (l *logger) write(level slog.Level, format string, args ...any) {
	log := l.factory.log
	if !log.Enabled(context.Background(), level) {
		return
	}
	if level > slog.LevelDebug && !l.factory.limit.Allow() {
		return
	}
	log.Log(context.Background(), level, "pion", "scope", l.scope, "detail", fmt.Sprintf(format, args...))
}
