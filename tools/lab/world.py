"""Hubs, members, partners and sensors, each in a directory of its own, driven through the command line (and only through it)."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from lab.client import Account, Watch
from lab.process import Failure, Program, free_port, temporary, wait_for


class World:
    """One run: the program under test, the directory of everything, the actors by name. `slow` multiplies every allowed time
    (a build with sanitizers is several times slower)."""

    def __init__(self, tocsin, slow=1.0, where=None):
        self.tocsin, self.slow = pathlib.Path(os.path.abspath(tocsin)), slow
        self.kept = where is not None
        self.where = pathlib.Path(where or tempfile.mkdtemp(prefix="tocsin-"))
        self.where.mkdir(parents=True, exist_ok=True)
        if not self.kept:
            temporary.append(self.where)
        self.hubs, self.members = {}, {}

    def run(self, *argv, status=0, timeout=60, stdin=None):
        """One command of tocsin: its CompletedProcess; Failure unless it ends with one of `status`."""
        argv = [str(self.tocsin), *map(str, argv)]
        try:
            done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=timeout * self.slow,
                                  stdin=subprocess.DEVNULL if stdin is None else None)
        except subprocess.TimeoutExpired:
            raise Failure(f"{' '.join(argv[1:])} ends within {timeout * self.slow:g} s", "it did not") from None
        allowed = status if isinstance(status, (tuple, set)) else (status,)
        if done.returncode not in allowed:
            raise Failure(f"tocsin {' '.join(argv[1:])} ends with status {status}",
                          f"status {done.returncode}\n{(done.stderr or done.stdout).strip()}")
        return done

    def json(self, *argv, **more):
        text = self.run(*argv, "--json", **more).stdout
        try:
            return json.loads(text)
        except ValueError:
            raise Failure(f"tocsin {' '.join(map(str, argv))} --json prints one JSON object", text[:500]) from None

    def close(self):
        """Ends everything; each end must be clean, and no program may have fallen by itself. The directory goes unless it was asked for."""
        trouble = []
        for actor in [m for m in self.members.values()] + [h for h in self.hubs.values()]:
            try:
                actor.close()
            except Failure as failure:
                trouble.append(str(failure))
        for name, log in self.logs():
            trouble += [f"{name}: {fault}" for fault in log.faults()]
        if not self.kept:
            shutil.rmtree(self.where, ignore_errors=True)
        if trouble:
            raise Failure("everything ends when asked to, and nothing before", "\n".join(trouble))

    def logs(self):
        for actor in [*self.hubs.values(), *self.members.values()]:
            if actor.program:
                yield actor.name, actor.program.log


class Hub:
    def __init__(self, world, name, title=None, country="XA", port=None, plain=False):
        self.world, self.name, self.title, self.country = world, name, title or name, country
        self.dir, self.log_path = world.where / name, world.where / f"{name}.log"
        self.port, self.program = port or free_port(), None
        world.run("init", self.dir, "--name", self.title, "--country", country, "--listen", f"127.0.0.1:{self.port}")
        if plain:  # HTTP without TLS: a setting that only a loopback address may have
            settings = self.dir / "tocsin.yaml"
            lines = [line for line in settings.read_text().splitlines() if not line.startswith("url:")]
            settings.write_text("\n".join([*lines, "plain_http: yes"]) + "\n")
        world.hubs[name] = self
        self.start()
        about = self.status()
        self.id, self.key = about["hub_id"], about["public_key"]

    def start(self, seconds=15):
        self.program = Program([self.world.tocsin, "hub", self.dir], self.log_path)
        self.ready(self.program.started_at, seconds)

    def ready(self, since, seconds=15):
        log = self.program.log

        def up():
            if not self.program.running():
                raise Failure(f"{self.name} starts", f"exit status {self.program.popen.returncode}\n" + "\n".join(log.tail()))
            return log.find("hub_ready", since, took_us=lambda us: us is not None)  # the monitor's own: the core's comes just before

        return wait_for(f"{self.name} is ready", seconds * self.world.slow, up)

    def stop(self):
        status = self.program.end(10 * self.world.slow)
        if status != 0:
            raise Failure(f"{self.name} ends with status 0 when asked to", f"status {status}\n" + "\n".join(self.program.log.tail()))

    def part(self, which):
        """Process id of the core or the keys process."""
        children = self.program.children()
        found = [pid for pid, line in children.items() if f" hub-{which} " in f" {line} "]
        if len(found) != 1:
            raise Failure(f"{self.name} has one {which} process", f"{children}")
        return found[0]

    def kill(self, which="monitor"):
        """kill -9 of the monitor (then everything is down), or of one part (then it comes back by itself)."""
        if which == "monitor":
            self.program.kill()
        else:
            os.kill(self.part(which), signal.SIGKILL)

    def close(self):
        if self.program and self.program.running():
            self.stop()

    def command(self, *argv, **more):
        return self.world.run(*argv, "--hub", self.dir, **more)

    def status(self):
        return self.world.json("status", "--hub", self.dir)


class Member:
    """A member of one hub, perhaps with a sensor."""

    def __init__(self, world, name, hub, *options):
        self.world, self.name, self.hub = world, name, hub
        self.file = world.where / f"{name}.yaml"
        hub.command("member", "add", name, *options, "--out", self.file)
        self.account = Account(self.file)
        self.watches, self.program, self.sensor_conf = {}, None, None
        self.words = []          # what nobody else may read: its names
        self.coined = []         # ids in what it submitted
        world.members[name] = self

    def watch(self, collection=None):
        """Its stream of a collection; followed from the beginning on first use."""
        if collection not in self.watches:
            self.watches[collection] = Watch(self.account, collection)
        return self.watches[collection]

    def submit(self, envelope, collection=None, *options, status=0):
        """`tocsin submit` of these bytes; what it prints."""
        path = self.world.where / f"{self.name}-submission.json"
        path.write_bytes(envelope)
        chosen = ["--collection", collection] if collection else []
        done = self.world.run("submit", "--as", self.file, *chosen, *options, path, "--json", status=status)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Failure("tocsin submit --json prints one JSON object", done.stdout[:500]) from None

    # ---- the sensor ----

    @property
    def state(self):
        return self.world.where / f"{self.name}-sensor"

    @property
    def telemetry(self):
        return self.world.where / f"{self.name}-eve.json"

    def sensor_write(self, mode="alert", form="eve", report_own="aggregate", report_partners="none", never=(), **more):
        self.state.mkdir(exist_ok=True)
        self.telemetry.touch()
        never_path = self.world.where / f"{self.name}-never.txt"
        never_path.write_text("".join(f"{value}\n" for value in never))
        values = {"client": self.file, "state": self.state, "format": form, "mode": mode, "report_own": report_own,
                  "report_partners": report_partners, "never_block": never_path, "export_nft": self.nft, "export_list": self.list, **more}
        self.sensor_conf = self.world.where / f"{self.name}-sensor.yaml"
        lines = [f"{key}: {json.dumps(str(value))}\n" for key, value in values.items()]
        self.sensor_conf.write_text("".join(lines) + f"inputs:\n  - {json.dumps(str(self.telemetry))}\n")

    @property
    def nft(self):
        return self.world.where / f"{self.name}-blocked.nft"

    @property
    def list(self):
        return self.world.where / f"{self.name}-blocked.txt"

    def sensor_start(self, seconds=15):
        self.program = Program([self.world.tocsin, "sensor", self.sensor_conf], self.world.where / f"{self.name}-sensor.log")
        log, since = self.program.log, self.program.started_at

        def up():
            if not self.program.running():
                raise Failure(f"{self.name}'s sensor starts", f"exit status {self.program.popen.returncode}\n" + "\n".join(log.tail()))
            return log.find("sensor_ready", since)

        wait_for(f"{self.name}'s sensor is ready", seconds * self.world.slow, up)

    def sees(self, line):
        with open(self.telemetry, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def live(self, seconds=10):
        """The sensor's live set: sorted (kind, value)."""
        log = self.program.log
        since = log.mark()
        os.kill(self.program.pid, signal.SIGUSR1)
        log.wait("live_written", seconds * self.world.slow, since)
        lines = (self.state / "live.txt").read_text().splitlines()
        return [tuple(line.split("\t", 1)) for line in lines]

    def close(self):
        for watch in self.watches.values():
            watch.stop()
        if self.program and self.program.running():
            status = self.program.end(10 * self.world.slow)
            if status != 0:
                raise Failure(f"{self.name}'s sensor ends with status 0 when asked to",
                              f"status {status}\n" + "\n".join(self.program.log.tail()))


def partners(world, one, two, collection, ceiling="green", categories=("indicator", "context", "sighting"), k=1, more=()):
    """The agreement, made on both sides: each gives the other a credential, names it in the collection and follows it."""
    names = [word for category in categories for word in ("--category", category)]
    files = {}
    for giver, taker in ((one, two), (two, one)):
        files[taker.name] = world.where / f"{taker.name}-at-{giver.name}.yaml"
        giver.command("partner", "add", taker.name, "--hub-id", taker.id, "--hub-key", taker.key, "--accept", files[taker.name],
                      "--collection-out", collection, "--ceiling", ceiling, *names, "--k", k, *more)
        giver.command("collection", "change", collection, "--add-partner", taker.name)
    for taker, giver in ((one, two), (two, one)):
        since = taker.program.log.mark()
        taker.command("partner", "follow", giver.name, "--with", files[taker.name], "--into", collection)
        taker.program.log.wait("link_up", 15 * world.slow, since, partner=giver.name)


def now_text(offset=0.0, digits=3):
    """UTC now (plus seconds) as STIX writes it."""
    at = time.time() + offset
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return f"{whole}.{f'{at % 1:.6f}'[2:2 + digits]}Z"
