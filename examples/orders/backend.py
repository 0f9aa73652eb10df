#!/usr/bin/env python3
"""A backend of examples/orders that knows Redis alone. It needs redis-py.

    python3 backend.py --name backend-P --redis redis://127.0.0.1:6379

docs/queues.md says what the fields and keys are. The two streams are read by one
command, which a Redis Cluster does not allow: there read each for itself.
"""

import argparse
import json
import signal
import time

import redis

EVENTS = "TEST_EVENT_TO_BACKEND"
GREETINGS = "GREETING_CHANNEL_OUTBOUND"
GROUP = "CONSUMER_GROUP"
OUT = "TEST_EVENT_TO_WEBSOCKET_SERVER"
GREETINGS_BACK = "GREETING_CHANNEL_INBOUND"

ANSWER_LASTS = 300  # seconds
MANY = 10_000  # entries that the streams to the nodes keep
TRIES = 5  # deliveries until an event is a dead letter
DONE = """
local group, consumer, entry, many = unpack(ARGV, 1, 4)
if #redis.call('XPENDING', KEYS[1], group, entry, entry, 1, consumer) == 0 then
    return 0 -- another has got it meanwhile
end
for i = 2, #KEYS do
    redis.call('XADD', KEYS[i], 'MAXLEN', '~', many, '*', unpack(cjson.decode(ARGV[i + 3])))
end
return redis.call('XACK', KEYS[1], group, entry)
"""
PRICES = {"bell": 120, "clapper": 35, "rope": 20}


class Backend:
    def __init__(self, name, url, left_behind):
        self.name = name
        self.left_behind = int(left_behind * 1000)  # ms
        self.redis = redis.Redis.from_url(url, decode_responses=True)
        self.handled = 0
        self.stopped = False
        self.next_sign = 0
        self.next_look = 0

    def run(self):
        """Handles events until stopped is true."""
        while not self.stopped:
            try:
                self.sign_of_life()
                self.take_over()
                for stream, entries in self.read():
                    for entry, fields in entries:
                        self.handle(stream, entry, fields)
            except redis.ConnectionError as err:
                print(self.name, "has no Redis:", err, flush=True)
                time.sleep(1)
            except redis.ResponseError as err:
                if not str(err).startswith("NOGROUP"):
                    raise
                time.sleep(1)  # a node makes the group, again if it has to

    def read(self):
        return self.redis.xreadgroup(GROUP, self.name, {EVENTS: ">", GREETINGS: ">"}, count=10, block=1000) or []

    def take_over(self):
        """Handles what a backend has left that died, or what has failed here."""
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + self.left_behind / 4000
        for stream in (EVENTS, GREETINGS):
            start = "0-0"
            while True:
                start, entries, *_ = self.redis.xautoclaim(stream, GROUP, self.name, self.left_behind, start, count=10)
                for entry, fields in entries:
                    self.handle(stream, entry, fields, self.tries(stream, entry))
                if start == "0-0":
                    break

    def handle(self, stream, entry, fields, tries=1):
        """Acknowledges an event once it is done. What fails stays, and comes again."""
        try:
            if fields.get("for", GROUP) != GROUP:
                self.redis.xack(stream, GROUP, entry)
                return
            self.wait_for(stream, fields.get("after"))
            news = self.do(stream, fields, fields.get("id", entry), tries)
            self.handled += self.done(stream, entry, news)
        except (ValueError, TypeError, LookupError, AttributeError) as err:
            self.put_aside(stream, entry, fields, repr(err))
        except redis.ConnectionError:
            raise
        except redis.RedisError as err:
            print(self.name, "cannot handle", entry, err, flush=True)
            if tries >= TRIES:
                self.put_aside(stream, entry, fields, repr(err))

    def wait_for(self, stream, before):
        """Keeps the order of keys: the entry before has to be done with."""
        until = time.monotonic() + 30
        while before and self.redis.xpending_range(stream, GROUP, before, before, 1):
            if time.monotonic() > until:
                raise redis.RedisError(f"{before} is not done with")
            time.sleep(0.05)

    def do(self, stream, fields, event_id, tries):
        """Handles an event, and returns what is to be published: streams and fields."""
        name, news = fields.get("event", "test"), []
        if name == "order":
            text = self.order(fields, event_id)
        elif stream == GREETINGS:
            text = first(fields)
            news.append((GREETINGS_BACK, {"message": f"Hello, {text}! This is {self.name}."}))
        elif name == "test":
            text = fields["message"] if "message" in fields else first(fields)
        else:
            raise ValueError(f"event {name} is not known here")
        told = {"backend": self.name, "event": name, "id": event_id, "text": text, "tries": tries}
        news.append((OUT, {"topic": "/topic/handled", "message": json.dumps(told)}))
        return news

    def order(self, fields, event_id):
        """Answers the client. The first answer counts: another may have given one."""
        order = first(fields)
        item, quantity = order.get("item"), order.get("quantity")
        if item in PRICES and isinstance(quantity, int) and 1 <= quantity <= 100:
            text = f"{quantity} × {item}"
            answer = {"args": [{"order": event_id, "backend": self.name, "total": PRICES[item] * quantity}]}
        else:
            text = f"refused: {quantity} of {item}"
            answer = {"error": f"there is no {item!r}, or not {quantity} of it"}
        if "reply" in fields and self.redis.set(fields["reply"], json.dumps(answer), nx=True, ex=ANSWER_LASTS):
            self.redis.publish(fields["reply"], "")
        return text

    def done(self, stream, entry, news):
        """Publishes and acknowledges in one step: whoever dies, an event is told of once."""
        words = [json.dumps([word for pair in fields.items() for word in pair]) for _, fields in news]
        keys = [stream, *(to for to, _ in news)]
        return self.redis.eval(DONE, len(keys), *keys, GROUP, self.name, entry, MANY, *words)

    def put_aside(self, stream, entry, fields, reason):
        """Moves what can never be handled to the dead letters, in one step."""
        print(self.name, "puts aside", entry, reason, flush=True)
        with self.redis.pipeline() as step:
            step.xadd(f"{{{stream}}}:dead", {**fields, "dead:entry": entry, "dead:group": GROUP, "dead:reason": reason})
            step.xack(stream, GROUP, entry)
            step.execute()

    def tries(self, stream, entry):
        held = self.redis.xpending_range(stream, GROUP, entry, entry, 1)
        return held[0]["times_delivered"] if held else 0

    def sign_of_life(self):
        if time.monotonic() < self.next_sign:
            return
        self.next_sign = time.monotonic() + 5
        sign = json.dumps({"backend": self.name, "handled": self.handled})
        self.redis.xadd(OUT, {"topic": "/topic/to-frontend", "message": sign}, maxlen=MANY)


def first(fields):
    """The first argument of an event."""
    return json.loads(fields["args"])[0]


def main():
    flags = argparse.ArgumentParser(description="A backend of examples/orders")
    flags.add_argument("--name", default="backend-P")
    flags.add_argument("--redis", default="redis://127.0.0.1:6379")
    flags.add_argument("--left-behind", type=float, default=60, metavar="SECONDS",
                       help="after which what another has not acknowledged is taken over")
    args = flags.parse_args()
    backend = Backend(args.name, args.redis, args.left_behind)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(backend, "stopped", True))
    print(args.name, "handles events", flush=True)
    backend.run()


if __name__ == "__main__":
    main()
