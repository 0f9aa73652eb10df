// Package bench is `belfry bench`: it puts load on a Socket.IO server, any, and
// tells what the server made of it: how fast clients connect, how long messages
// travel, whether any was lost, doubled or overtaken, what CPU and memory the
// server's processes needed for that, and who comes back when one is killed.
//
// The server serves this contract on the main namespace:
//
//	join (room, ack)     joins the room and acks
//	say (room, payload)  emits msg (payload) to that room, on all nodes
//	echo (payload, ack)  acks with the payload
//
// Payloads are JSON strings that mean nothing to the server. With Kafka messages are
// sent by package records, to a topic that the server reads into rooms.
//
// The load comes from worker processes (package worker), each an epoll loop
// over thousands of raw sockets. They are this program, started again; the
// process that the user started orders them about, measures the server (package
// proc) and the Redis that its nodes share (package redis), and sums up. Every
// message carries who sent it, its number and its time (package stamp); every
// arrival is counted by number (package check).
package bench
