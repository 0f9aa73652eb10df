// Package redis runs a Redis for the servers of a benchmark, and asks a Redis
// what they made it do: processor time, memory, commands, and how long a round
// trip takes. It knows the few answers that this needs.
package redis
