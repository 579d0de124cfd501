"""Processes that the laboratory starts, the event logs that they write, and their end."""
import atexit
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time

_started = []  # every Program that may still run: ended when we end, however that comes
_ports = set()
temporary = []  # directories that go with us
REPORT = re.compile(r"(Address|Leak|Thread|Memory)Sanitizer|runtime error:|Assertion .* failed")


class Failure(Exception):
    """Something in the story did not happen: what was expected, and what was seen instead."""

    def __init__(self, expected, seen=""):
        super().__init__(expected if not seen else f"{expected}; seen: {seen}")
        self.expected, self.seen = expected, seen


def wait_for(what, seconds, question, every=0.005):
    """Asks until the answer is true, and returns it; Failure when the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise Failure(f"{what} within {seconds:g} s", "nothing of the kind")
        time.sleep(every)


def free_port():
    """A port that nobody uses now, outside the range from which the system picks for clients."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(10000, 32000)
        if port in _ports:
            continue
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        _ports.add(port)
        return port
    raise Failure("a free port on loopback")


class EventLog:
    """The JSON lines that a program writes, read as they come; other lines (a sanitizer's report) are kept for the tail."""

    def __init__(self, path):
        self.path, self.events = path, []
        self._read, self._rest = 0, b""

    def poll(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self._read)
                fresh = file.read()
        except FileNotFoundError:
            return self.events
        self._read += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if isinstance(event, dict) and "event" in event:
                self.events.append(event)
        return self.events

    def mark(self):
        """A place in the log: what comes later has a higher index."""
        return len(self.poll())

    def find(self, name, since=0, **fields):
        """The first event of that name after the mark whose fields are as given (a callable is asked)."""
        for event in self.poll()[since:]:
            if event["event"] == name and all(_fits(want, event.get(key)) for key, want in fields.items()):
                return event
        return None

    def all(self, name, since=0):
        return [e for e in self.poll()[since:] if e["event"] == name]

    def wait(self, name, seconds, since=0, **fields):
        told = ", ".join(f"{k} {v}" for k, v in fields.items() if not callable(v))
        return wait_for(f"event {name} {told}".rstrip() + f" in {self.path.name}", seconds, lambda: self.find(name, since, **fields))

    def faults(self):
        """What must never stand in a log: a part that fell by itself (kill -9 was us), a sanitizer's report."""
        for event in self.all("hub_child_ended"):
            if event.get("signal") not in (0, signal.SIGKILL):
                yield f"{event['child']} fell by signal {event['signal']}"
        try:
            lines = self.path.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return
        for at, line in enumerate(lines):
            if REPORT.search(line):
                yield "\n".join(lines[at:at + 25])
                return

    def tail(self, lines=12):
        try:
            return self.path.read_text(errors="replace").splitlines()[-lines:]
        except FileNotFoundError:
            return []


def _fits(want, have):
    return want(have) if callable(want) else want == have


class Program:
    """One started program in a process group of its own, its stderr in a log. Its children are known by /proc."""

    def __init__(self, argv, log, cwd=None):
        self.argv, self.log = [str(a) for a in argv], EventLog(pathlib.Path(log))
        self.started_at = self.log.mark()
        with open(log, "ab") as stderr:
            self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, cwd=cwd,
                                          start_new_session=True)
        self.pid = self.popen.pid
        _started.append(self)

    def running(self):
        return self.popen.poll() is None

    def children(self):
        """{pid: its command line} of the direct children."""
        found = {}
        try:
            pids = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        except OSError:
            return found
        for pid in pids:
            try:
                found[int(pid)] = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                pass
        return found

    def kill(self):
        """kill -9 of the program itself; what becomes of its children is its own affair (they must go too)."""
        left = self.children()
        self.popen.kill()
        self.popen.wait()
        end = time.monotonic() + 5
        while any(_alive(pid) for pid in left):
            if time.monotonic() > end:
                self._end_group()
                raise Failure("the children of a killed monitor end by themselves within 5 s", f"{left}")
            time.sleep(0.005)
        self._end_group()

    def end(self, seconds=10):
        """SIGTERM, and SIGKILL for what is left. Returns the exit status."""
        if self.running():
            self.popen.terminate()
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        late = self.running()
        self._end_group()
        if late:
            raise Failure(f"{self.argv[0]} {self.argv[1]} ends within {seconds} s of SIGTERM", "it was killed")
        return self.popen.returncode

    def _end_group(self):
        try:
            os.killpg(self.pid, signal.SIGKILL)  # the group is ours: start_new_session
        except ProcessLookupError:
            pass
        self.popen.wait()
        if self in _started:
            _started.remove(self)


def _alive(pid):
    """Also while only other threads than the first are still on their way out: until then its sockets are open."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


@atexit.register
def end_everything():
    for program in list(_started):
        try:
            program.popen.terminate()
        except OSError:
            pass
    end = time.monotonic() + 3
    for program in list(_started):
        while program.running() and time.monotonic() < end:
            time.sleep(0.01)
        program._end_group()
    for path in temporary:
        shutil.rmtree(path, ignore_errors=True)


def end_on_signals():
    """SIGTERM and SIGINT end us by way of the exit handlers."""

    def stop(number, _frame):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
