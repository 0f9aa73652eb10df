package cli

import (
	"net/http"

	"github.com/seed-09a96375/belfry/internal/metrics"
	"github.com/seed-09a96375/belfry/source/kafka"
)

// metrics are what Prometheus reads of the archive.
func (s *archiving) metrics(o *archiveOptions) http.Handler {
	r := metrics.New(o.logger)
	r.Add(func(emit metrics.Emit) {
		up := 0.0
		if ready, _ := s.ready(); ready {
			up = 1
		}
		emit(metrics.NodeInfo, 1, "archive", describeBuild(readBuild()).version)
		emit(metrics.Ready, up)
		s.mu.Lock()
		a, source := s.archiver, s.source
		s.mu.Unlock()
		if a == nil {
			emit(metrics.ArchiveUp, 0)
			return
		}
		v := a.Stats()
		metrics.EmitArchive(emit, v, true)
		if v.LagErr == nil && !v.LagAt.IsZero() {
			emit(metrics.ArchiveLag, float64(v.Lag.Records))
			emit(metrics.ArchiveAge, v.Lag.Age.Seconds())
		}
		if topics, ok := source.(*kafka.Source); ok {
			for _, p := range topics.Stats().Partitions {
				metrics.EmitPartition(emit, p.Topic, p)
			}
		}
	})
	return r.Handler()
}
