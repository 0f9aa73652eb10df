from run import equal


class Party:
    """A few sockets that note what they are told."""

    def __init__(self, run, names, profile="main"):
        self.sockets = {name: run.connect(profile) for name in names}
        for socket in self.sockets.values():
            socket.listen("told")

    def __getitem__(self, name):
        return self.sockets[name]

    def ask(self, name, *args):
        return self.sockets[name].ask(*args)

    def join(self, room, names):
        for name in names:
            self.ask(name, "join", [room])

    def expect(self, want, event="told"):
        """Compares what everybody was told, after a question to each that the
        server answers after whatever it told them before."""
        for name in self.sockets:
            self.ask(name, "echo")
        equal({name: s.heard(event) for name, s in self.sockets.items()}, want)


def room_broadcast(run):
    party, room = Party(run, "abc"), run.id("room")
    party.join(room, "ab")
    equal(party.ask("a", "rooms"), sorted([room, party["a"].id]))
    party.ask("c", "tell", {"to": [room]}, "hello")
    party.expect({"a": ["hello"], "b": ["hello"], "c": []})


def room_leave(run):
    party, room = Party(run, "ab"), run.id("room")
    party.join(room, "ab")
    party.ask("a", "leave", room)
    party.ask("a", "tell", {"to": [room]}, 1)
    party.expect({"a": [], "b": [1]})


def room_except(run):
    party, room, out = Party(run, "abc"), run.id("room"), run.id("out")
    party.join(room, "abc")
    party.join(out, "b")
    party.ask("a", "tell", {"to": [room], "except": [out]}, {"x": 1})
    party.expect({"a": [{"x": 1}], "b": [], "c": [{"x": 1}]})


def room_without_sender(run):
    party, room = Party(run, "ab"), run.id("room")
    party.join(room, "ab")
    party.ask("a", "tell", {"sender": False, "to": [room]}, 1)
    party.expect({"a": [], "b": [1]})


def room_union(run):
    party, one, two = Party(run, "abc"), run.id("one"), run.id("two")
    party.ask("a", "join", [one, two])
    party.ask("b", "join", [two])
    party.ask("c", "tell", {"to": [one, two, run.id("nobody")]}, "once")
    party.expect({"a": ["once"], "b": ["once"], "c": []})


def room_own_id(run):
    party = Party(run, "ab")
    party.ask("a", "tell", {"to": [party["b"].id]}, "psst")
    party.expect({"a": [], "b": ["psst"]})


def room_binary(run):
    party, room = Party(run, "ab"), run.id("room")
    party.join(room, "b")
    payload = {"blob": b"\1\2\3", "text": "é"}
    party.ask("a", "tell", {"to": [room]}, payload)
    party.expect({"a": [], "b": [payload]})


def room_everybody(run):
    party, event = Party(run, "ab"), run.id("event")
    for name in "ab":
        party[name].listen(event)
    party.ask("a", "tell", {"event": event}, 1)
    party.ask("a", "tell", {"event": event, "sender": False}, 2)
    party.expect({"a": [1], "b": [1, 2]}, event)


def volatile(run):
    party, got = Party(run, "ab"), []
    to = [party["b"].id]

    def arrives():
        party.ask("a", "tell", {"to": to, "volatile": True}, run.id("v"))
        party.ask("b", "echo")
        got.extend(party["b"].heard("told"))
        return got

    run.until("a volatile message arrives", arrives)
    equal(len(set(got)), len(got))


def members(run):
    party, room = Party(run, "ab"), run.id("room")
    party.join(room, "ab")
    equal(party.ask("a", "members", room), sorted(party[name].id for name in "ab"))
    party.ask("b", "data", {"name": "é"})
    equal(party.ask("b", "data"), {"name": "é"})
