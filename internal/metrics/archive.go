package metrics

import "github.com/seed-09a96375/belfry/archive"

// EmitArchive gives what an archiver has done. open says whether its database is.
func EmitArchive(emit Emit, s archive.Stats, open bool) {
	up := 0.0
	if open && s.Away.IsZero() {
		up = 1
	}
	emit(ArchiveUp, up)
	emit(ArchiveRows, float64(s.Rows))
	emit(ArchiveBatches, float64(s.Batches))
	emit(ArchiveDead, float64(s.Poisoned))
	emit(ArchiveFailures, float64(s.Failures))
}
