"""Sentences about a member whose key was stolen."""
import copy
import json
import time

from lab.client import Account
from lab.process import Failure
from lab.sentences_doors import ask, basic, expect
from lab.story import sentence
from lab.world import now_text


@sentence("{thief} has {name}'s key")
def steals(story, thief, name):
    """From now on there is a second holder of the member's client file. "Since the theft" begins here."""
    member = story.member(name)
    other = copy.copy(member)
    other.name, other.file = thief, story.world.where / f"{thief}.yaml"
    other.file.write_bytes(member.file.read_bytes())
    other.account, other.watches, other.program = Account(other.file), {}, None
    story.world.members[thief] = other
    time.sleep(0.05)
    story.memory["theft"] = now_text(0, 6)


@sentence("{thief}'s key is refused")
def is_refused(story, thief):
    """401, as for a key that never was."""
    account = story.member(thief).account
    expect(401, ask(account, basic(account.values["user"], account.values["password"])))


def drill(story, what, name, *options):
    """One of the two commands since the theft, as JSON."""
    hub = story.member(name).hub
    return json.loads(hub.command("member", what, name, "--since", story.memory["theft"], *options, "--json").stdout)


def count(said):
    return sum(kind["count"] for kind in said["objects"])


@sentence("the operator compromises {name} since the theft: {n:int} objects")
def compromises(story, name, n):
    """`tocsin member compromise`, first --dry-run, which changes nothing and tells the same; then for good, and once more,
    which finds nothing left."""
    story.act()
    hub = story.member(name).hub
    before = hub.status()
    planned = drill(story, "compromise", name, "--dry-run")
    if planned["done"] or count(planned) != n or not planned["credentials"]:
        raise Failure(f"a dry run that would hold {n} objects", json.dumps(planned))
    if hub.status()["rows"] != before["rows"]:
        raise Failure("a dry run that writes nothing", json.dumps(hub.status()))
    # Without --yes and without anybody to ask nothing happens.
    hub.command("member", "compromise", name, "--since", story.memory["theft"], status=2)
    done = drill(story, "compromise", name, "--yes")
    if not done["done"] or {**done, "done": False} != planned:
        raise Failure(f"what the dry run told: {json.dumps(planned)}", json.dumps(done))
    again = drill(story, "compromise", name, "--yes")
    if count(again) or again["credentials"]:
        raise Failure("nothing left to do", json.dumps(again))


@sentence("the operator releases what {name} sent since the theft: {n:int} objects")
def releases(story, name, n):
    """`tocsin member release`."""
    story.act()
    done = drill(story, "release", name, "--yes")
    if count(done) != n:
        raise Failure(f"{n} objects given back", json.dumps(done))


@sentence("{name} gets a fresh key")
def fresh(story, name):
    """`tocsin member credential add` with a client file, which the member works with from now on."""
    member = story.member(name)
    made = story.world.where / f"{name}-fresh.yaml"
    member.hub.command("member", "credential", "add", name, "fresh", "--out", made)
    member.file, member.account, member.watches = made, Account(made), {}
