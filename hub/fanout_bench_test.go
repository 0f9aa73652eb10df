package hub

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/seed-09a96375/belfry"
)

// BenchmarkEach stands in for the write of one frame by a system call.
func BenchmarkEach(b *testing.B) {
	for _, n := range []int{16, 64, 128, 1000, 10_000} {
		members := counters(n)
		for name, f := range map[string]*Fanout{"alone": {Workers: 1}, "shared": {Inline: 1}} {
			b.Run(fmt.Sprintf("members=%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					f.Each(members, func(Member) { _, _ = syscall.Getppid(), syscall.Getuid() })
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/member")
			})
		}
	}
}

func BenchmarkBroadcast(b *testing.B) {
	var r Rooms
	for i := range 10_000 {
		mustJoin(b, &r, mustAdd(b, &r, benchID(i)), "all", belfry.Room(fmt.Sprint("few", i/10)))
	}
	for name, target := range map[string]belfry.Target{
		"own id":     {Rooms: rooms(belfry.Room(benchID(5)))},
		"few":        {Rooms: rooms("few3")},
		"few but me": {Rooms: rooms("few3"), Except: rooms(belfry.Room(benchID(35)))},
		"all":        {Rooms: rooms("all")},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Broadcast(target, func(Member) {})
			}
		})
	}
}
