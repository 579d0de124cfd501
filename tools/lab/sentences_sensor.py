"""Sentences about sensors and sightings: what is loaded, what is met, what is blocked and released, and what goes home."""
import json
import re
import subprocess
import time

from lab.objects import eve
from lab.process import Failure, wait_for
from lab.sentences_sharing import is_that
from lab.story import sentence


@sentence("{name}'s sensor loads {thing}[ within {limit:time}]")
def loads(story, name, thing, limit):
    """Every value of it is in the sensor's live set; an event says so."""
    who, made = story.member(name), story.thing(thing)
    log, since = who.program.log, made.marks.get(who.program.log.path, 0)
    n = len(made.indicators)
    wait_for(f"{n} indicators loaded by {name}'s sensor", story.within(limit), lambda: len(log.all("indicator_loaded", since)) >= n)
    missing = set(made.values) - {value for _, value in who.live()}
    if missing:
        raise Failure(f"the values in {name}'s live set", f"missing: {sorted(missing)[:5]}")


@sentence("{name}'s sensor holds {thing}")
def holds(story, name, thing):
    """The values stand in its live set now."""
    live = {value for _, value in story.member(name).live()}
    missing = set(story.thing(thing).values) - live
    if missing:
        raise Failure(f"the values in {name}'s live set", f"missing: {sorted(missing)[:5]} of {len(live)}")


@sentence("{name}'s sensor drops {thing}[ within {limit:time}]")
def drops(story, name, thing, limit):
    """None of its values is in the live set any more."""
    who, values = story.member(name), set(story.thing(thing).values)
    wait_for(f"{values} no longer in the live set", story.within(limit), lambda: not values & {v for _, v in who.live()}, 0.05)


@sentence("{name}'s sensor does not load {thing}")
def not_loads(story, name, thing):
    """Its values do not come into the live set."""
    time.sleep(0.5 * story.slow)
    found = set(story.thing(thing).values) & {v for _, v in story.member(name).live()}
    if found:
        raise Failure("not loaded", f"{sorted(found)}")


@sentence("{name}'s sensor sees {what:texts}")
def sees(story, name, what):
    """One EVE line each: "dns NAME", "flow ADDRESS", "tls NAME", "http URL", "file SHA256"."""
    story.act()
    who = story.member(name)
    for one in what:
        who.sees(eve(one))


@sentence("{name}'s sensor alerts on {thing}[ within {limit:time}]")
def alerts(story, name, thing, limit):
    """An alert on one of its values, after what the sensor saw last."""
    _wait_value(story, name, "alert", story.thing(thing).values, limit)


@sentence("{name}'s sensor blocks {thing}[ within {limit:time}]")
def blocks(story, name, thing, limit):
    """Its values are blocked and stand in the files for the enforcement points."""
    who, values = story.member(name), story.thing(thing).values
    wait_for(f"{values} in {name}'s block list", story.within(limit), lambda: set(values) <= blocked(who))


@sentence("{name}'s sensor unblocks {thing}[ within {limit:time}]")
def unblocks(story, name, thing, limit):
    """Gone from the files for the enforcement points; an event says so."""
    who, values = story.member(name), set(story.thing(thing).values)
    wait_for(f"{values} out of {name}'s block list", story.within(limit), lambda: not values & blocked(who))
    _wait_value(story, name, "unblocked", values, limit)


@sentence("{name}'s sensor blocks nothing of {thing}")
def blocks_nothing(story, name, thing):
    """None of its values stands in the files for the enforcement points, and none comes."""
    time.sleep(0.3 * story.slow)
    who = story.member(name)
    found = set(story.thing(thing).values) & blocked(who)
    if found:
        raise Failure("not blocked", f"{sorted(found)}")


@sentence("{name}'s sensor stays quiet")
def quiet(story, name):
    """No alert since what it saw last."""
    time.sleep(0.5 * story.slow)
    who = story.member(name)
    found = who.program.log.all("alert", story.since(who.program))
    if found:
        raise Failure("no alert", f"{found[0]}")


@sentence("nftables would accept {name}'s set")
def nft_accepts(story, name):
    """`nft --check` in a network name space of its own reads the exported file."""
    path = story.member(name).nft
    wait_for(f"{path.name} is written", story.within(None), path.exists)
    for apart in (["unshare", "--net", "--map-root-user"], []):
        done = subprocess.run([*apart, "nft", "--check", "--file", path], capture_output=True, text=True)
        if done.returncode == 0:
            return
        if not done.stderr.startswith("unshare:"):
            break
    if "Operation not permitted" not in done.stderr:  # a container that lets nobody ask the kernel: nothing was found out
        raise Failure("nft --check is content", done.stderr[:600])


def blocked(who):
    """Values in the plain list and in the nftables set."""
    found = set()
    for path in (who.list, who.nft):
        try:
            text = path.read_text()
        except FileNotFoundError:
            continue
        if path == who.nft:
            for elements in re.findall(r"(?:elements = |add element [^{]*)\{([^}]*)\}", text):
                found |= {e.split()[0] for e in elements.split(",") if e.split()}
        else:
            found |= {line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")}
    return found


def _wait_value(story, name, event, values, limit):
    who = story.member(name)
    log, since, values = who.program.log, story.since(who.program), set(values)
    return wait_for(f"event {event} for {sorted(values)[:3]} in {name}'s sensor", story.within(limit),
                    lambda: next((e for e in log.all(event, since) if e.get("value") in values), None))


# ---- sightings ----


@sentence("{hub} receives a sighting[ within {limit:time}]")
def hub_sighting(story, hub, limit):
    """The hub logs a sighting, after what was seen last."""
    program = story.hub(hub).program
    program.log.wait("sighting_received", story.within(limit), story.since(program))


@sentence("{hub} receives no sighting")
def hub_no_sighting(story, hub):
    """None comes, after what was seen last."""
    time.sleep(1.0 * story.slow)
    program = story.hub(hub).program
    if program.log.find("sighting_received", story.since(program)):
        raise Failure("no sighting", "one came")


def sightings_of(story, name, thing):
    """Sightings that this member reads which name the submission: by its own ids if it is the submitter's."""
    who, made = story.member(name), story.thing(thing)
    objects, _ = who.account.pages(made.collection)
    ids = {o["id"] for o in objects if is_that(made, o)}
    return [o for o in objects if o.get("type") == "sighting" and o.get("sighting_of_ref") in ids]


@sentence("{name} learns that {thing} was seen within {limit:time}[ without {words:texts}]")
def learns(story, name, thing, limit, words):
    """A sighting of it, under the id by which this member knows it (the submitter: its own id), without the words."""
    who, made = story.member(name), story.thing(thing)
    found = wait_for(f"a sighting of it for {name}", story.within(limit), lambda: sightings_of(story, name, thing), 0.05)
    own = {o["id"] for o in made.indicators}
    if made.by == name and any(s["sighting_of_ref"] not in own for s in found):
        raise Failure("the sighting names the submitter's own id", json.dumps(found[0])[:500])
    if words:
        seen = list(who.account.holds(words))
        if seen:
            raise Failure(f"no {words} in what {name} received", f"{seen[:5]}")
    story.memory["sightings"] = found


@sentence("{name} learns of no sighting of {thing}")
def learns_not(story, name, thing):
    """No sighting of it stands in the member's pages."""
    time.sleep(1.0 * story.slow)
    found = sightings_of(story, name, thing)
    if found:
        raise Failure("no sighting", json.dumps(found[0])[:500])


@sentence("that sighting is to the hour and names no place")
def sighting_coarse(story):
    """Beyond the hub: first_seen and last_seen on the hour, no where_sighted_refs, no observed data."""
    for one in story.memory["sightings"]:
        late = [one[k] for k in ("first_seen", "last_seen") if k in one and not re.search(r":00:00(\.0+)?Z$", one[k])]
        if late or one.get("where_sighted_refs") or one.get("observed_data_refs"):
            raise Failure("times on the hour, no where_sighted_refs", json.dumps(one)[:500])
