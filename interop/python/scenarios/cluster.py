from run import equal


def pair(run):
    """One socket on each of two nodes, both in a room."""
    room = run.id("room")
    a, b = run.connect("a"), run.connect("b")
    for socket in (a, b):
        socket.ask("join", [room])
        socket.listen("told")
    return room, a, b


def cluster_room(run):
    room, a, b = pair(run)
    payload = {"from": "a", "blob": b"\1"}
    a.ask("tell", {"to": [room]}, payload)
    equal([a.next("told"), b.next("told")], [[payload], [payload]])


def cluster_except(run):
    room, a, b = pair(run)
    a.ask("tell", {"to": [room], "except": [b.id]}, 1)
    a.ask("tell", {"to": [room], "local": True}, 2)
    b.ask("tell", {"to": [room], "sender": False}, 3)
    a.ask("tell", {"to": [b.id]}, "last")
    equal(b.next("told"), ["last"])
    equal(b.heard("told"), [])


def cluster_members(run):
    room, a, b = pair(run)
    equal(a.ask("members", room), sorted([a.id, b.id]))
    a.ask("data", "of a")
    b.ask("data", "of b")
    equal(a.ask("members-data", room), ["of a", "of b"])


def cluster_poll(run):
    room, a, b = pair(run)
    a.answer("question", lambda n: n + 1)
    b.answer("question", lambda n: n + 2)
    equal(a.ask("poll", room, 5000, 10), {"error": None, "answers": [11, 12]})


def cluster_move(run):
    room, a, b = pair(run)
    other = run.id("other")
    a.ask("move", room, other)
    run.until("b has moved", lambda: other in b.ask("rooms"))
    run.until("b has left", lambda: room not in b.ask("rooms"))


def cluster_expel(run):
    room, a, b = pair(run)
    a.emit("expel", room, callback=lambda: None)
    equal([a.next("disconnect"), b.next("disconnect")], [["server disconnect"]] * 2)


def cluster_nodes(run):
    _, a, _ = pair(run)
    equal(a.ask("ask-nodes", "hi"), {"error": None, "answers": ["hi noted"]})
