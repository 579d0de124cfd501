"""Sentences about a partner that is no Tocsin: a TAXII server with habits of the field, which a hub polls."""
import collections

from lab.foreign import COLLECTION, Foreign
from lab.process import Failure, wait_for
from lab.story import sentence


def feed(story, name):
    if name not in story.memory:
        raise Failure(f"a foreign server called {name}", "none")
    return story.memory[name]


@sentence("a foreign server {name} has {n:int} objects")
def foreign_server(story, name, n):
    """A TAXII 2.1 server that is no Tocsin: next as a number, added_after inclusive, dates in milliseconds, seven objects a page."""
    story.memory[name] = Foreign(name)
    story.memory[name].publish(n)


@sentence("{name} publishes {n:int} more")
def publishes(story, name, n):
    """The foreign server has so many new objects."""
    feed(story, name).publish(n)


@sentence("{name} revokes its first {n:int}")
def revokes(story, name, n):
    """The foreign server sends revoked versions of its first objects."""
    feed(story, name).publish(n, first=0, revoked=True)


@sentence("{hub} polls {name} into {collection}, unmarked objects as {level:tlp}")
def polls(story, hub, name, collection, level):
    """The foreign server becomes a partner of the hub, polled each second; what it sends unmarked gets that marking."""
    who, server = story.hub(hub), feed(story, name)
    file = story.world.where / f"{name}-client.yaml"
    file.write_text(f"url: http://127.0.0.1:{server.port}\nuser: user\npassword: pass\ncollection: {COLLECTION}\n")
    word = level.removeprefix("TLP:").lower()
    who.command("partner", "add", name, "--foreign", "--ceiling", word, "--default", word)
    who.command("partner", "follow", name, "--with", file, "--into", collection, "--poll", "1s")


@sentence("{member} has {n:int} objects of {name}, each once, within {limit:time}")
def has_each_once(story, member, n, name, limit):
    """They stand in the TAXII pages, none missing and none twice; revoked ones do not count."""
    account, server = story.member(member).account, feed(story, name)
    revoked = {o["id"] for _, o in server.objects if o["revoked"]}
    expected = {o["id"] for _, o in server.objects} - revoked

    def complete():
        count = collections.Counter(o["id"] for o in account.pages()[0]
                                    if o["type"] == "indicator" and not o.get("revoked"))
        twice = [i for i, k in count.items() if k > 1]
        if twice:
            raise Failure("each object once", f"twice: {twice[:3]}")
        return set(count) == expected and len(count) == n

    wait_for(f"{member} has {n} objects of {name}", limit * story.slow, complete)
