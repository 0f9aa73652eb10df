from run import equal


def order_up(run):
    socket = run.connect()
    for i in range(1000):
        socket.emit("number", i)
    equal(socket.ask("numbers"), list(range(1000)))


def order_down(run):
    socket = run.connect()
    socket.listen("number")
    socket.emit("count", 1000)
    # The library hands every event to a thread of its own: what it has received
    # is complete, its order is up to the threads.
    equal(sorted(socket.all("number", 1000)), list(range(1000)))


def order_mixed(run):
    socket = run.connect()
    socket.listen("said")
    sent = [bytes([i]) if i % 2 else i for i in range(200)]
    for value in sent:
        socket.emit("say-back", value)
    equal(sorted(socket.all("said", 200), key=repr), sorted(sent, key=repr))


def order_acks(run):
    socket = run.connect()
    got = socket.listen("answers")
    for i in range(500):
        socket.emit("echo", i, callback=lambda back, i=i: got.put([(i, back)]))
    equal(sorted(socket.all("answers", 500)), [(i, i) for i in range(500)])
