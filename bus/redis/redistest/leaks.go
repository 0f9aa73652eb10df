package redistest

import "go.uber.org/goleak"

// IgnoreDriver leaves out what the driver leaves behind in a Redis Cluster: for 5 s its
// connections, and for a second a look at the cluster that was put off.
func IgnoreDriver() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*clusterClient)._refresh.func2"),
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"),
	}
}
