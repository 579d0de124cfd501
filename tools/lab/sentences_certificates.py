"""Sentences about certificates: enrolment by a code, an authority outside of the hub, revocation, renewal."""
import json

from lab.process import Failure, wait_for
from lab.story import sentence


def client_file(story, name):
    return story.world.where / f"{name}-certificate.yaml"


def pem_file(story, name):
    return story.world.where / f"{name}-certificate.pem"


def enrol(story, name, status=0):
    """`tocsin enrol` with the last invitation of that name."""
    told = story.memory["invitations"][name]
    for path in (client_file(story, name), pem_file(story, name)):
        path.unlink(missing_ok=True)
    return story.world.run("enrol", told["url"], "--code", told["code"], "--pin", told["pin"], "--out", client_file(story, name),
                           status=status)


def read(story, name, status=0):
    return story.world.run("get", "--as", client_file(story, name), status=status)


@sentence("{name} enrols at {hub} by a code")
def enrols(story, name, hub):
    """A member without a password; the operator's code and pin; the member makes its key and gets its certificate at once."""
    story.act()
    at = story.hub(hub)
    at.command("member", "add", name, "--no-password")
    told = json.loads(at.command("member", "invite", name, "--valid", "1h", "--json").stdout)
    story.memory.setdefault("invitations", {})[name] = told
    enrol(story, name)
    if oct(pem_file(story, name).stat().st_mode & 0o777) != "0o600":
        raise Failure("a key that nobody else may read", oct(pem_file(story, name).stat().st_mode))


@sentence("{name}'s code is good no more")
def code_used(story, name):
    """The same code again: refused, and no file is left behind. The certificate that it gave stays."""
    kept = {path: path.read_bytes() for path in (client_file(story, name), pem_file(story, name))}
    enrol(story, name, status=1)
    left = [str(path) for path in kept if path.exists()]
    for path, data in kept.items():
        path.touch(mode=0o600)
        path.write_bytes(data)
    if left:
        raise Failure("no file of a refused enrolment", ", ".join(left))


@sentence("{name} reads {what} by its certificate")
def reads(story, name, what):
    """`tocsin get` with the certificate's client file; the pattern stands in what it prints."""
    pattern = story.thing(what).objects[0]["pattern"]
    printed = read(story, name).stdout
    if json.dumps(pattern)[1:-1] not in printed:
        raise Failure(f"{pattern} among what {name} reads", printed[:800])


@sentence("{name}'s certificate is refused[ because it {why:text}]")
def refused(story, name, why):
    """The same command is answered 401, within two seconds; with the reason where one is named."""

    def turned_away():
        done = read(story, name, status=(0, 1))
        return done.returncode == 1 and "401" in done.stderr and (why or "") in done.stderr

    wait_for(f"{name} is refused{f' because it {why}' if why else ''}", 2 * story.slow, turned_away)


@sentence("{hub} takes certificates of the authority {authority}")
def takes(story, hub, authority):
    """An offline authority is made (`tocsin ca init`), and its certificate put beside the hub's own; no restart."""
    story.act()
    where, at = story.world.where / authority, story.hub(hub)
    story.world.run("ca", "init", where, "--name", authority)
    since = at.program.log.mark()
    trusted = at.dir / "tls" / "members.pem"
    fresh = trusted.with_suffix(".new")
    fresh.write_text(trusted.read_text() + (where / "ca.pem").read_text())
    fresh.rename(trusted)
    at.program.log.wait("certificates_reloaded", 5 * story.slow, since)


@sentence("{authority} signs {name} for {days:int} days, and {hub} knows it by that")
def signs(story, authority, name, days, hub):
    """A certificate of the offline authority for a member that is there already, as its credential; key and certificate in one file."""
    story.act()
    where, base = story.world.where, story.world.where / f"{name}-signed"
    story.world.run("ca", "issue", where / authority, "--profile", "member", "--name", name, "--days", days, "--out", base)
    cert, key = base.with_suffix(".pem"), base.with_suffix(".key")
    story.hub(hub).command("member", "credential", "add", name, "sensor", "--kind", "certificate", "--certificate", cert)
    pem = pem_file(story, name)
    pem.touch(mode=0o600)
    pem.write_text(key.read_text() + cert.read_text())
    values = {key: value for key, value in story.member(name).account.values.items() if key not in ("user", "password")}
    values |= {"cert": str(pem), "key": str(pem)}
    client_file(story, name).write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items()))


@sentence("{authority} revokes {name}, and {hub} gets the list")
def revokes(story, authority, name, hub):
    """`tocsin ca revoke` and `tocsin ca crl` into the hub's directory; the hub sees the file by itself."""
    story.act()
    where, at = story.world.where / authority, story.hub(hub)
    story.world.run("ca", "revoke", where, name)
    since = at.program.log.mark()
    story.world.run("ca", "crl", where, "--out", at.dir / "tls" / "crl.pem")
    at.program.log.wait("certificates_reloaded", 5 * story.slow, since)


@sentence("the operator takes {name}'s certificate away at {hub}")
def taken_away(story, name, hub):
    """Its credential is removed: no list is needed for what the hub itself has issued."""
    story.act()
    at = story.hub(hub)
    listed = json.loads(at.command("member", "credential", "list", name, "--json").stdout)
    names = [row["name"] for row in listed if row["member"] == name and row["kind"] == "certificate"]
    if not names:
        raise Failure(f"a certificate among {name}'s credentials", json.dumps(listed))
    for one in names:
        at.command("member", "credential", "remove", name, one)


@sentence("{name}'s sensor, with the certificate, renews it within {limit:time}")
def renews(story, name, limit):
    """A sensor on the certificate's client file finds that it ends within 30 days: a new one stands in its place, the key too."""
    story.act()
    who, pem = story.member(name), pem_file(story, name)
    old = pem.read_text()
    who.sensor_write(client=client_file(story, name))
    who.sensor_start()
    who.program.log.wait("certificate_renewed", limit * story.slow, 0)
    new = pem.read_text()
    if new == old or new.split("-----END")[0] == old.split("-----END")[0]:
        raise Failure("another key and another certificate", "the old ones")
