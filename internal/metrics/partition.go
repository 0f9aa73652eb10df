package metrics

import (
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry/source/kafka"
)

// EmitPartition gives what a source has of a partition.
func EmitPartition(emit Emit, source string, p kafka.PartitionStats) {
	number := strconv.Itoa(int(p.Partition))
	lag := int64(p.Records)
	if p.Next > 0 {
		lag = max(p.End-p.Next, 0)
		emit(PartitionNext, float64(p.Next), source, number)
	}
	emit(PartitionLag, float64(lag), source, number)
	emit(PartitionWaiting, float64(p.Records), source, number)
	age := 0.0
	if !p.Oldest.IsZero() {
		age = max(time.Since(p.Oldest).Seconds(), 0)
	}
	emit(PartitionAge, age, source, number)
}
