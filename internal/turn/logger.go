package turn

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/logging"
)

// pionLogs passes on what pion logs. Whatever pion takes for an error is something
// that a stranger can make it say as often as they like, so that it is for debugging.
type pionLogs struct{ logger *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (l pionLogs) NewLogger(string) logging.LeveledLogger { return l }

func (l pionLogs) log(level slog.Level, text string) {
	l.logger.Log(context.Background(), level, "turn server", "detail", text)
}

func (l pionLogs) logf(level slog.Level, format string, args []any) {
	if l.logger.Enabled(context.Background(), level) {
		l.log(level, fmt.Sprintf(format, args...))
	}
}

// Below slog.LevelDebug: what pion itself takes for debugging.
const levelTrace = slog.LevelDebug - 4

func (l pionLogs) Trace(text string)                 { l.log(levelTrace, text) }
func (l pionLogs) Tracef(format string, args ...any) { l.logf(levelTrace, format, args) }
func (l pionLogs) Debug(text string)                 { l.log(levelTrace, text) }
func (l pionLogs) Debugf(format string, args ...any) { l.logf(levelTrace, format, args) }
func (l pionLogs) Info(text string)                  { l.log(slog.LevelDebug, text) }
func (l pionLogs) Infof(format string, args ...any)  { l.logf(slog.LevelDebug, format, args) }
func (l pionLogs) Warn(text string)                  { l.log(slog.LevelDebug, text) }
func (l pionLogs) Warnf(format string, args ...any)  { l.logf(slog.LevelDebug, format, args) }
func (l pionLogs) Error(text string)                 { l.log(slog.LevelDebug, text) }
func (l pionLogs) Errorf(format string, args ...any) { l.logf(slog.LevelDebug, format, args) }

// notices logs what clients are refused, once a second for each reason.
type notices struct {
	// Static after construction.
	logger *slog.Logger

	mu sync.Mutex
	// Guarded by mu. The keys are few: messages, of which each has a fixed set of reasons.
	last map[[2]string]time.Time
}

// info logs a refusal that an operator may have to do something about.
func (n *notices) info(message, reason string, args ...any) {
	n.log(slog.LevelInfo, message, reason, args)
}

// debug logs a refusal that is part of what well-behaved clients do.
func (n *notices) debug(message, reason string, args ...any) {
	n.log(slog.LevelDebug, message, reason, args)
}

func (n *notices) log(level slog.Level, message, reason string, args []any) {
	now := time.Now()
	key := [2]string{message, reason}
	n.mu.Lock()
	again := now.Sub(n.last[key]) < time.Second
	if !again {
		n.last[key] = now
	}
	n.mu.Unlock()
	if !again {
		n.logger.Log(context.Background(), level, message, append([]any{"reason", reason}, args...)...) //nolint:sloglint // its callers have constants
	}
}
