"""What scenarios are written with."""

import queue
import time
import urllib.request
import uuid

import socketio

TRANSPORTS = {
    "polling": ["polling"],
    "upgrade": ["polling", "websocket"],
    "websocket": ["websocket"],
}

PATIENCE = 8  # seconds


def equal(got, want):
    if got != want:
        raise AssertionError(f"got {got!r:.300}, want {want!r:.300}")


class Socket:
    """One client connection in one namespace, with queues of what arrived."""

    def __init__(self, run, nsp, options):
        self.run, self.nsp, self.inbox = run, nsp, {}
        options = {"reconnection": False, "handle_sigint": False, **options}
        self.sio = socketio.Client(**options)
        for event in ("connect", "connect_error", "disconnect"):
            self.listen(event)

    def connect(self, profile, query="", **connect):
        self.sio.connect(
            self.run.urls[profile] + query,
            transports=TRANSPORTS[self.run.transport],
            namespaces=[self.nsp],
            wait_timeout=PATIENCE,
            **connect,
        )

    @property
    def id(self):
        return self.sio.get_sid(self.nsp)

    def listen(self, event):
        """Collects the arguments of an event from now on."""
        arrived = self.inbox.setdefault(event, queue.Queue())
        self.sio.on(event, lambda *args: arrived.put(list(args)), namespace=self.nsp)
        return arrived

    def next(self, event):
        """Returns the arguments of the next event that listen collects."""
        if not self.arrives(event, PATIENCE):
            raise AssertionError(f"event {event}: not within {PATIENCE} s")
        return self.last

    def all(self, event, n):
        """Returns the first arguments of the next n events, in any order."""
        got = []
        while len(got) < n:
            if not self.arrives(event, PATIENCE):
                raise AssertionError(f"event {event}: {len(got)} of {n}, then none: {got!r:.3000}")
            got.append(self.last[0])
        return got

    def arrives(self, event, seconds):
        """Reports whether an event that listen collects comes in time."""
        try:
            self.last = self.inbox[event].get(timeout=seconds)
            return True
        except queue.Empty:
            return False

    def heard(self, event):
        """Returns the first arguments of all that has been collected."""
        got = []
        while not self.inbox[event].empty():
            got.append(self.inbox[event].get()[0])
        return got

    def emit(self, event, *args, callback=None):
        self.sio.emit(event, args, namespace=self.nsp, callback=callback)

    def ask(self, event, *args, timeout=PATIENCE):
        """Emits and returns the acknowledgement: its only argument, or all."""
        return self.sio.call(event, args, namespace=self.nsp, timeout=timeout)

    def answer(self, event, function):
        self.sio.on(event, function, namespace=self.nsp)


class Run:
    """One scenario's view of client and servers. It closes what it opened."""

    def __init__(self, config):
        self.transport = config["transport"]
        self.urls = config["targets"]["urls"]
        self.targets = config["targets"]
        self.sockets = []

    @staticmethod
    def id(prefix):
        return f"{prefix}-{uuid.uuid4()}"

    def open(self, nsp="/", options=None):
        socket = Socket(self, nsp, options or {})
        self.sockets.append(socket)
        return socket

    def connect(self, profile="main", nsp="/", options=None, **connect):
        socket = self.open(nsp, options)
        socket.connect(profile, **connect)
        return socket

    @staticmethod
    def until(what, question, patience=PATIENCE):
        """Repeats a question until its answer is right."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            answer = question()
            if answer:
                return answer
        raise AssertionError(f"never came true: {what}")

    def ending(self, witness, id, patience=PATIENCE):
        """Asks why the server thinks that a socket left, once it has."""
        return self.until("the server saw the end", lambda: witness.ask("record", id)["reason"], patience)

    def control(self, what, profile):
        """Does something to the network in front of a profile."""
        url = f"{self.targets['control']}/{what}/{profile}"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST")):
            pass

    def close(self):
        for socket in self.sockets:
            try:
                socket.sio.reconnection = False
                socket.sio.disconnect()
            except Exception:
                pass  # it is gone already
