import socketio

from run import equal


def echoes(run, nsp):
    equal(run.connect(nsp=nsp).ask("echo", nsp), nsp)


def refused(run, nsp, **connect):
    """Connects to a namespace that must not let it in; returns the reason."""
    socket = run.open(nsp)
    try:
        socket.connect("main", **connect)
    except socketio.exceptions.ConnectionError:
        return socket.next("connect_error")[0]
    raise AssertionError(f"{nsp} let the client in")


def namespace_static(run):
    echoes(run, "/custom")


def namespace_dynamic(run):
    echoes(run, "/dyn-101")


def namespace_unknown(run):
    for nsp in ("/unknown", "/dyn-x"):
        equal(refused(run, nsp), {"message": "Invalid namespace"})


def namespace_refused(run):
    equal(refused(run, "/refused"), {"message": "not authorized", "data": {"code": 42}})


def namespace_refused_plain(run):
    equal(refused(run, "/refused-plain"), {"message": "not authorized"})


def namespace_guarded(run):
    socket = run.connect(nsp="/guarded", auth={"token": "secret"})
    equal(socket.ask("echo", 1), 1)
    refused(run, "/guarded", auth={"token": "guess"})
