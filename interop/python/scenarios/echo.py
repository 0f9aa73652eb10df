from run import equal


def same(run, *args):
    """Sends the arguments and expects them back unchanged, by acknowledgement
    and as an event."""
    socket = run.connect()
    socket.listen("said")
    back = socket.ask("echo", *args)
    equal([back] if len(args) == 1 else list(back), list(args))
    socket.emit("say-back", *args)
    equal(socket.next("said"), list(args))


def text(n):
    return "0123456789abcdef" * (n // 16)


def echo_strings(run):
    same(run, "", "a", 'quote " back \\ slash', "line\nfeed\ttab\0")


def echo_unicode(run):
    same(run, "é€😀", "\u2028\u2029", "日本語", "👩‍👩‍👧", "\x1e")


def echo_numbers(run):
    same(run, 0, -1, 1.5, 1e21, 5e-324, 2**53 - 1, True, False, None)


def echo_nested(run):
    same(run, [[], {}, [[1]]], {"a": {"b": [{"c": None}]}, "": 0, "é": []})


def echo_100k(run):
    same(run, text(100_000))


def echo_900k(run):
    same(run, text(900_000))


def binary_one(run):
    same(run, bytes([0, 1, 2, 254, 255]))


def binary_many(run):
    same(run, b"a", "between", b"\7" * 70_000, b"\x1e")


def binary_nested(run):
    same(run, {"list": [b"x", {"deep": b"y"}]}, [b"z"])


def binary_empty(run):
    same(run, b"", b"after")


def binary_900k(run):
    same(run, b"\xa5" * 640_000)


def binary_looks_alike(run):
    fake = {"_placeholder": True, "num": 7}
    equal(run.connect().ask("echo", fake), fake)


def msgpack(run):
    options = {"serializer": "msgpack"}
    socket = run.connect("msgpack", options=options)
    socket.listen("said")
    args = ["é😀", -1, 1.5, None, True, {"a": [1, {"b": "c"}]}, 2**32]
    equal(list(socket.ask("echo", *args)), args)
    blob = {"list": [b"\1\2\3", b"\1" * 70_000]}
    equal(socket.ask("echo", blob), blob)
    socket.emit("say-back", "x", 1)
    equal(socket.next("said"), ["x", 1])
