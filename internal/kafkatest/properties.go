//go:build unix

package kafkatest

import "strings"

// properties are the settings of a broker that is its own controller, with what
// costs time and memory made small.
func (b *Broker) properties() string {
	return strings.Join(append([]string{
		"process.roles=broker,controller",
		"node.id=1",
		"controller.quorum.voters=1@127.0.0.1:" + b.control,
		"controller.listener.names=CONTROLLER",
		"listeners=PLAIN://" + b.Addr() + ",SECURE://" + b.Secure.Addr() + ",CONTROLLER://127.0.0.1:" + b.control,
		"advertised.listeners=PLAIN://" + b.Addr() + ",SECURE://" + b.Secure.Addr(),
		"listener.security.protocol.map=PLAIN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name=PLAIN",
		"log.dirs=" + b.file("data"),
		"auto.create.topics.enable=false",
		"broker.session.timeout.ms=4000", // after a kill the next start waits as long; less is too little on a busy machine
		"broker.heartbeat.interval.ms=400",
		"initial.broker.registration.timeout.ms=60000",
		"num.partitions=3",
		"offsets.topic.num.partitions=2",
		"offsets.topic.replication.factor=1",
		"transaction.state.log.num.partitions=1",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"share.coordinator.state.topic.num.partitions=1",
		"share.coordinator.state.topic.replication.factor=1",
		"share.coordinator.state.topic.min.isr=1",
		"group.initial.rebalance.delay.ms=0",
		"group.min.session.timeout.ms=1000",
		"num.network.threads=2",
		"num.io.threads=2",
		"log.cleaner.enable=true",
		"log.cleaner.dedupe.buffer.size=2097152",
		"log.index.size.max.bytes=1048576",
		"",
	}, append(b.Secure.properties(), "")...), "\n")
}
