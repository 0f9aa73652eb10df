from run import equal

EAGER = {
    "reconnection": True,
    "reconnection_delay": 0.02,
    "reconnection_delay_max": 0.1,
    "randomization_factor": 0,
}

# What the server may see: a poll that was cut on its way is missed later.
LOST = ("transport close", "transport error", "ping timeout")


def reconnect(run):
    socket = run.connect("proxied-beat", options=EAGER)
    socket.next("connect")
    id = socket.id

    def lost():
        # Between two polls nothing is open, and nothing is lost.
        run.control("cut", "proxied-beat")
        return socket.arrives("disconnect", 0.2)

    run.until("the loss is noticed", lost)
    socket.next("connect")
    assert socket.id != id
    equal(socket.ask("echo", 1), 1)
    assert run.ending(socket, id) in LOST


def heartbeat(run):
    """A quiet connection lives longer than one that nobody keeps alive: 1.5 s."""
    socket = run.connect("beat")
    equal(run.connect().ask("late", 2000), "late")
    equal(socket.ask("echo", "alive"), "alive")
    equal(socket.ask("record", socket.id)["reason"], None)


def silent(run):
    socket = run.connect("proxied-beat")
    socket.ask("echo")
    id = socket.id
    run.control("freeze", "proxied-beat")
    return socket, id


def silence(run):
    socket, _ = silent(run)
    try:
        # The library takes the silence for an error of the transport.
        assert socket.next("disconnect")[0] in ("ping timeout", "transport error")
    finally:
        run.control("cut", "proxied-beat")


def silence_seen_by_server(run):
    _, id = silent(run)
    try:
        equal(run.ending(run.connect(), id), "ping timeout")
    finally:
        run.control("cut", "proxied-beat")
