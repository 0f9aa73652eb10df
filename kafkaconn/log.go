package kafkaconn

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// driverLog passes on what the driver warns of. A broker that is away is no error of
// ours: it says so often.
type driverLog struct{ to *slog.Logger }

// Level is the least that the driver should say.
func (l driverLog) Level() kgo.LogLevel {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

// Log is called by the driver, by any goroutine.
func (l driverLog) Log(level kgo.LogLevel, text string, pairs ...any) {
	at := slog.LevelDebug
	if level <= kgo.LogLevelWarn {
		at = slog.LevelWarn
	}
	l.to.Log(context.Background(), at, "kafka: "+text, pairs...)
}
