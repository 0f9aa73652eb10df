// Package chain measures the ways that messages take through several servers: from a
// topic of Kafka or a stream of Redis to clients, and into PostgreSQL. All of it runs
// for real, in processes of its own: brokers, databases, `belfry serve`,
// `belfry archive`, and `belfry bench` for the clients. It has benchmarks only;
// scripts/bench-chain runs them and docs/benchmarks.md has the figures.
package chain
