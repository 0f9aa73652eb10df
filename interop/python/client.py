"""Runs the scenarios of interop/README.md with the official Python client and
prints one JSON line for each: {"name", "ok", "detail", "ms"}.

    python client.py '{"transport": "polling", "scenarios": [...], "targets": {...}}'
"""

import json
import os
import sys
import time
import traceback

from run import Run
from scenarios import acks, cluster, connect, echo, endings, links, namespaces, order, rooms

GROUPS = [connect, echo, namespaces, rooms, order, acks, endings, links, cluster]


def scenario(name):
    """Returns the function of that name, with _ for -."""
    for group in GROUPS:
        found = getattr(group, name.replace("-", "_"), None)
        if found:
            return found
    raise LookupError("no such scenario")


def attempt(name, config):
    run = Run(config)
    began = time.monotonic()
    detail = ""
    try:
        scenario(name)(run)
    except BaseException:
        detail = traceback.format_exc(limit=-4, chain=False)
    run.close()
    ms = int((time.monotonic() - began) * 1000)
    return {"name": name, "ok": detail == "", "detail": detail, "ms": ms}


def main():
    config = json.loads(sys.argv[1])
    for name in config["scenarios"]:
        print(json.dumps(attempt(name, config)), flush=True)
    os._exit(0)  # without waiting for the library's threads


if __name__ == "__main__":
    main()
