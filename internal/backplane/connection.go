package backplane

import "github.com/seed-09a96375/belfry/redisconn"

// Connection says how queues and sources reach the Redis of the bus. The error names
// what is wrong with the files of TLS.
func (o Options) Connection() (redisconn.Options, error) {
	config, err := o.TLS.Config()
	return redisconn.Options{URL: o.URL, TLS: config}, err
}
