from run import equal


def ended(run, id):
    return run.ending(run.connect(), id)


def disconnect_by_client(run):
    socket = run.connect()
    id = socket.id
    socket.sio.disconnect()
    equal(socket.next("disconnect"), ["client disconnect"])
    # The library closes the connection without waiting for what it has queued. Over
    # polling that may leave the server with nothing but silence.
    reason = run.ending(run.connect(), id, patience=60)
    assert reason in ("client namespace disconnect", "transport close", "ping timeout")


def disconnect_raw(run):
    socket = run.connect()
    id = socket.id
    socket.sio.eio.disconnect()
    assert ended(run, id) in ("transport close", "transport error")


def kicked(run, close):
    socket = run.connect()
    id = socket.id
    socket.emit("kick", close)
    equal(socket.next("disconnect"), ["server disconnect"])
    equal(ended(run, id), "server namespace disconnect")


def disconnect_by_server(run):
    kicked(run, False)


def disconnect_by_server_closing(run):
    kicked(run, True)


def connect_again(run):
    socket = run.connect()
    id = socket.id
    socket.sio.disconnect()
    socket.next("disconnect")
    again = run.connect()
    assert again.id != id
    equal(again.ask("echo", 1), 1)


def too_big(run):
    socket = run.connect("small")
    id = socket.id
    socket.emit("echo", "x" * 20_000)
    socket.next("disconnect")
    assert ended(run, id) in ("transport close", "transport error")


def just_fits(run):
    payload = "x" * 9000
    equal(run.connect("small").ask("echo", payload), payload)
