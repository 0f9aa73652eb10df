import re

from run import equal


def connect(run):
    one, other = run.connect(), run.connect()
    assert re.fullmatch(r"[A-Za-z0-9_-]{20}", one.id), one.id
    assert one.id != other.id


def transport(run):
    socket = run.connect()
    equal(socket.sio.transport(), "polling" if run.transport == "polling" else "websocket")
    equal(socket.ask("echo", "after"), "after")


def query(run):
    socket = run.connect(query="?name=x%20y%26z%3D%C3%A9")
    equal(socket.ask("query")["name"], "x y&z=é")


def auth(run):
    sent = {"token": "s3cret", "n": 1, "deep": {"list": ["é", None]}}
    equal(run.connect(auth=sent).ask("auth"), sent)
    equal(run.connect(auth=lambda: {"late": True}).ask("auth"), {"late": True})
