"""Calls of the command line in processes forked from one that has everything loaded: each of them saves the second that takes.

What a process loads, and when, is a matter of `test_answers.py`, which starts real ones.
"""

import atexit
import json
import os
import pkgutil
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def warm():
    """The one of this process."""
    return Warm()


class Warm:
    """The process that others are forked from; it ends with us."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.warm", str(theirs.fileno())], pass_fds=(theirs.fileno(),), cwd=ROOT
            )
        atexit.register(self.close)

    def begin(self, words, folder, environ, given, out, err):
        """Begin a call with these files for its input, output and errors; one at a time."""
        with tempfile.TemporaryFile() as order:  # a packet is too small for a large environment
            order.write(json.dumps([list(words), str(folder), environ]).encode())
            order.seek(0)
            socket.send_fds(self._ours, [b"call"], [order.fileno(), given, out, err])

    def end(self):
        """Its exit code, when it is over."""
        return int(self._ours.recv(16))

    def call(self, words, folder, typed, environ):
        """The exit code, and what was said on standard output and standard error."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(typed.encode())
            given.seek(0)
            self.begin(words, folder, environ, *(one.fileno() for one in (given, out, err)))
            code = self.end()
            return code, *(_read(one) for one in (out, err))

    def close(self) -> None:
        """Let it end."""
        self._ours.close()
        self._process.wait()


def _read(file):
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


def _serve(asked: socket.socket) -> None:
    """Fork for each call until nobody is there to call."""
    while True:
        told, fds, _, _ = socket.recv_fds(asked, 16, 4)
        if not told:
            return
        pid = os.fork()
        if pid == 0:
            asked.close()
            os._exit(_be_the_call(fds))
        for fd in fds:
            os.close(fd)
        asked.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def _be_the_call(fds: list[int]) -> int:
    """What `python -c "…main()"` does, from here on."""
    with open(fds[0], encoding="utf-8") as order:  # noqa: PTH123 - a number is no path
        words, folder, environ = json.load(order)
    for place, fd in enumerate(fds[1:]):
        os.dup2(fd, place)
        os.close(fd)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    time.tzset()
    random.seed()
    sys.argv = ["-c", *words]
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - as they are at the start
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = _run()
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _run() -> int:
    from orchestrator.cli import main

    try:
        main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end
        traceback.print_exc()
        return 1
    return 0


def _load_everything() -> None:
    import orchestrator

    for module in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
        if not module.name.endswith("__main__") and ".migrations." not in module.name:
            import_module(module.name)


if __name__ == "__main__":
    _load_everything()
    _serve(socket.socket(fileno=int(sys.argv[1])))
