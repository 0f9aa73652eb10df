package redis

import "github.com/redis/rueidis"

// dialect is how messages are published. Redis Cluster has channels that belong
// to one slot: other shards hear nothing of them. They have no patterns, so there
// is one channel more that gets what goes to all rooms.
type dialect struct{ sharded bool }

// allRooms is that channel.
const allRooms = "rooms"

// head is what scripts in this dialect begin with.
func (d dialect) head() string {
	if d.sharded {
		return "local PUBLISH, NUMSUB, SHARDED = 'SPUBLISH', 'SHARDNUMSUB', true\n"
	}
	return "local PUBLISH, NUMSUB, SHARDED = 'PUBLISH', 'NUMSUB', false\n"
}

func (d dialect) subscribe(c rueidis.DedicatedClient, channels ...string) rueidis.Completed {
	if d.sharded {
		return c.B().Ssubscribe().Channel(channels...).Build()
	}
	return c.B().Subscribe().Channel(channels...).Build()
}

func (d dialect) unsubscribe(c rueidis.DedicatedClient, channel string) rueidis.Completed {
	if d.sharded {
		return c.B().Sunsubscribe().Channel(channel).Build()
	}
	return c.B().Unsubscribe().Channel(channel).Build()
}

// subscribeRooms is for nodes that get the messages of all rooms.
func (d dialect) subscribeRooms(c rueidis.DedicatedClient, n names) rueidis.Completed {
	if d.sharded {
		return d.subscribe(c, n.channel(allRooms))
	}
	return c.B().Psubscribe().Pattern(n.roomPattern()).Build()
}

func (d dialect) publish(c rueidis.Client, channel, message string) rueidis.Completed {
	if d.sharded {
		return c.B().Spublish().Channel(channel).Message(message).Build()
	}
	return c.B().Publish().Channel(channel).Message(message).Build()
}
