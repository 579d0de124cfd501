"""Sentences that set the scene: hubs, collections, members, partners, sensors; and bring actors down and up again."""
import os
import re
import signal

from lab.process import Failure
from lab.story import sentence
from lab.world import Hub, Member, partners


@sentence("hub {name}[ {title:text}][ country {country:any}]")
def hub(story, name, title, country):
    """A new hub, made and started in a directory of its own on a free port of loopback."""
    Hub(story.world, name, title, country or "XA")


@sentence("collection {name} at {hub} open to members")
def collection_open(story, name, hub):
    """Members of the hub may read there what is GREEN or CLEAR without being listed."""
    story.hub(hub).command("collection", "add", name, "--open")


@sentence("collection {name} at {hub} for listed recipients only")
def collection_closed(story, name, hub):
    """Nobody reads there before it is listed."""
    story.hub(hub).command("collection", "add", name)


@sentence("{collection} at {hub} takes the profile {profile:any}")
def collection_profile(story, collection, hub, profile):
    """What objects of that collection must look like from now on: open, ais-2.0-observed or ctis."""
    story.act()
    story.hub(hub).command("collection", "change", collection, "--profile", profile)


@sentence("{collection} at {hub} lists {names:names}")
def collection_lists(story, collection, hub, names):
    """Adds recipient members to the audience statement of a collection."""
    story.act()
    for name in names:
        story.hub(hub).command("collection", "change", collection, "--add-recipient", name)


@sentence("{collection} at {hub} no longer lists {names:names}")
def collection_drops(story, collection, hub, names):
    """Takes recipient members out again."""
    story.act()
    for name in names:
        story.hub(hub).command("collection", "change", collection, "--drop-recipient", name)


@sentence("{collection} at {hub} no longer names the partner {partner}")
def collection_drops_partner(story, collection, hub, partner):
    """Takes a partner hub out of the audience statement."""
    story.act()
    story.hub(hub).command("collection", "change", collection, "--drop-partner", partner)


@sentence("{collection} at {hub} names the partner {partner}")
def collection_names_partner(story, collection, hub, partner):
    """Puts a partner hub into the audience statement."""
    story.act()
    story.hub(hub).command("collection", "change", collection, "--add-partner", partner)


@sentence("{collection} at {hub} is opened to members")
def collection_opened(story, collection, hub):
    """Widens the audience to all members of the hub."""
    story.act()
    story.hub(hub).command("collection", "change", collection, "--open")


@sentence("member {name} at {hub}[ {more:any}]")
def member(story, name, hub, more):
    """A new member. After it, in any order: organisation "NAME", domain NAME, country XX, sector NAME, consent WORD,
    client of MEMBER, default COLLECTION LEVEL [for 30d], reads COLLECTION, government, without the right to submit."""
    options, words, rest = [], [name], more or ""
    rules = [
        (r'organisation "([^"]+)"', lambda m: (options.extend(["--organisation", m[1]]), words.append(m[1]))),
        (r"domain (\S+)", lambda m: (options.extend(["--domain", m[1]]), words.append(m[1]))),
        (r"country (\w+)", lambda m: options.extend(["--country", m[1]])),
        (r"sector (\S+)", lambda m: options.extend(["--sector", m[1]])),
        (r"consent (\w+)", lambda m: options.extend(["--consent", m[1]])),
        (r"client of (\S+)", lambda m: options.extend(["--client-of", m[1]])),
        (r"default (\S+) (\S+) for (\d+d)", lambda m: options.extend(["--default", f"{m[1]}={m[2]},{m[3]}"])),
        (r"default (\S+) (\S+)", lambda m: options.extend(["--default", f"{m[1]}={m[2]}"])),
        (r"reads (\S+)", lambda m: options.extend(["--collection", m[1]])),
        (r"government", lambda m: options.append("--government")),
        (r"without the right to submit", lambda m: options.append("--no-write")),
    ]
    while rest:
        for pattern, take in rules:
            found = re.match(pattern + r"(?:,? |$)", rest)
            if found:
                take(found)
                rest = rest[found.end():]
                break
        else:
            raise Failure("words that describe a member", rest)
    made = Member(story.world, name, story.hub(hub), *options)
    made.words = words


@sentence("{name} leaves {hub}")
def member_leaves(story, name, hub):
    """The member is removed; its credential ends."""
    story.act()
    story.hub(hub).command("member", "remove", name)


@sentence("{one} and {two} are partners in {collection}[ up to {ceiling:tlp}][ for {categories:names}][ with k {k:int}][, handing on]")
def are_partners(story, one, two, collection, ceiling, categories, k):
    """An agreement on both sides: each names the other in its collection of that name, up to a marking, for some categories
    (indicator, context, sighting), sightings from k organisations on (the standard is 3)."""
    story.act()
    level = (ceiling or "TLP:GREEN").removeprefix("TLP:").lower()
    partners(story.world, story.hub(one), story.hub(two), collection, level, categories or ("indicator", "context", "sighting"),
             3 if k is None else k)


@sentence("{name} has a sensor that {mode:any}")
def sensor(story, name, mode):
    """Starts a member's sensor. `alerts` or `blocks`; then, after commas: `reports none|aggregate|full`, `tells partners aggregate`,
    `never blocks "VALUE" ...`, `reads lines`."""
    values = {}
    for part in re.split(r", (?=reports|tells|never|reads)", mode):
        word, _, rest = part.partition(" ")
        if word in ("alerts", "blocks"):
            values["mode"] = word.removesuffix("s")
        elif word == "reports":
            values["report_own"] = rest
        elif part.startswith("tells partners "):
            values["report_partners"] = part.rsplit(" ", 1)[1]
        elif part.startswith("never blocks "):
            values["never"] = re.findall(r'"([^"]*)"', part)
        elif word == "reads":
            values["form"] = rest
        else:
            raise Failure("words that describe a sensor", part)
    who = story.member(name)
    who.sensor_write(**values)
    who.sensor_start()


@sentence("{name}'s sensor is killed")
def sensor_killed(story, name):
    """kill -9 of the sensor."""
    story.act()
    story.member(name).program.kill()


@sentence("{name}'s sensor starts again")
def sensor_again(story, name):
    """Starts a sensor that was killed or stopped, on the same state."""
    story.member(name).sensor_start()


@sentence("{name}'s sensor stops")
def sensor_stops(story, name):
    """SIGTERM: the sensor ends cleanly."""
    story.act()
    status = story.member(name).program.end(10 * story.slow)
    if status != 0:
        raise Failure("status 0", f"{status}")


@sentence("{name} is killed")
def hub_killed(story, name):
    """kill -9 of the whole hub."""
    story.act()
    story.hub(name).kill()


@sentence("{name}'s {part} is killed")
def part_killed(story, name, part):
    """kill -9 of its core or its keys process, which the monitor brings back."""
    story.act()
    story.hub(name).kill(part)


@sentence("{name} is back within {limit:time}")
def hub_back(story, name, limit):
    """After a part was killed: the hub is ready again, by itself."""
    who = story.hub(name)
    who.ready(story.since(who.program), limit)


@sentence("{name} stops")
def hub_stops(story, name):
    """SIGTERM: the hub ends cleanly, with status 0."""
    story.act()
    story.hub(name).stop()


@sentence("{name} starts again")
def hub_again(story, name):
    """Starts a hub that was killed or stopped, on the same directory."""
    story.hub(name).start()


@sentence("{name} freezes")
def hub_freezes(story, name):
    """SIGSTOP to the monitor and its parts: the connection stands, nobody answers."""
    story.act()
    program = story.hub(name).program
    for pid in [*program.children(), program.pid]:
        os.kill(pid, signal.SIGSTOP)


@sentence("{name} thaws")
def hub_thaws(story, name):
    """SIGCONT after `freezes`."""
    program = story.hub(name).program
    for pid in [program.pid, *program.children()]:
        os.kill(pid, signal.SIGCONT)
