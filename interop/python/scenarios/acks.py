import socketio

from run import equal


def ack_from_client(run):
    socket = run.connect()
    socket.answer("question", lambda *args: (*args, "answered"))
    equal(list(socket.ask("ask-me", "é", {"a": 1})), ["é", {"a": 1}, "answered"])
    equal(list(socket.ask("ask-me", b"\7\x08")), [b"\7\x08", "answered"])


def ack_broadcast(run):
    room = run.id("room")
    for n in (1, 2):
        member = run.connect()
        member.answer("question", lambda payload, n=n: payload + n)
        member.ask("join", [room])
    result = run.connect().ask("poll", room, 5000, 10)
    equal(result, {"error": None, "answers": [11, 12]})


def ack_broadcast_timeout(run):
    """The other member's connection is frozen: it cannot answer."""
    room = run.id("room")
    answers, mute = run.connect(), run.connect("proxied-main")
    answers.answer("question", lambda payload: payload)
    answers.ask("join", [room])
    mute.ask("join", [room])
    run.control("freeze", "proxied-main")
    try:
        result = answers.ask("poll", room, 1000, "x")
    finally:
        run.control("thaw", "proxied-main")
    equal(result, {"error": "timeout", "answers": ["x"]})


def ack_timeout(run):
    socket = run.connect()
    for question in (("never",), ("late", 1000)):
        try:
            socket.ask(*question, timeout=0.05)
        except socketio.exceptions.TimeoutError:
            continue
        raise AssertionError(f"{question}: answered in time")
    equal(socket.ask("late", 20), "late")
