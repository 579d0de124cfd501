"""Sentences about sharing: who submits what, who receives it, who does not, and what nobody else may read."""
import json
import re
import threading
import time
import urllib.parse

from lab.objects import TLP, identity, indicator, version
from lab.process import Failure, wait_for
from lab.client import Watch
from lab.story import Submission, sentence
from lab.world import now_text


def send(story, who, submission, *options, status=(0, 1)):
    """Submits by the command line and keeps the answer."""
    story.act()
    submission.marks = dict(story.marks)
    submission.at = time.monotonic()
    submission.answer = who.submit(submission.envelope, submission.collection, *options, status=status)
    who.coined += [o["id"] for o in submission.objects if not o["type"] == "marking-definition"]
    story.it = submission
    if submission.name:
        story.submissions[submission.name] = submission


def count_of(answer, word):
    """`success_count` and its like: at the top of what submit prints, or in the TAXII status resource in it."""
    for place in (answer, answer.get("status") if isinstance(answer.get("status"), dict) else {}):
        if f"{word}_count" in place:
            return place[f"{word}_count"]
    return 0


def accepted(submission):
    n = len(submission.objects)
    if count_of(submission.answer, "success") != n:
        raise Failure(f"{n} objects accepted", json.dumps(submission.answer)[:800])


@sentence("{name} submits {pattern:text} marking {marking:tlp}[ in {collection}][ valid for {valid:time}][ as {called}]")
def submits(story, name, pattern, marking, collection, valid, called):
    """One indicator with that pattern, accepted. Named with `as`; the last one is `it`."""
    until = None if valid is None else now_text(valid)
    made = Submission(called, name, [indicator(pattern, marking, valid_until=until)], collection)
    send(story, story.member(name), made)
    accepted(made)


@sentence("{name} submits {pattern:text} unmarked[ in {collection}][ as {called}]")
def submits_unmarked(story, name, pattern, collection, called):
    """One indicator without any marking; whether it is accepted or pending says the next sentence."""
    send(story, story.member(name), Submission(called, name, [indicator(pattern)], collection))


@sentence("{name} submits the file {file:text}[ in {collection}][ as {called}]")
def submits_file(story, name, file, collection, called):
    """The objects of a bundle beside the stories or in tests/samples, each in its own bytes; accepted."""
    path = next((p for p in (story.root / file, story.root.parent / "samples" / file) if p.is_file()), None)
    if path is None:
        raise Failure(f"a file {file} in tests/samples")
    made = Submission(called, name, objects_of(path.read_bytes()), collection)
    send(story, story.member(name), made)
    accepted(made)


def objects_of(data):
    """The objects of a bundle as they stand in its bytes."""
    text = data.decode()
    decoder = json.JSONDecoder()
    at = text.index("[", text.index('"objects"')) + 1
    found = []
    while True:
        while text[at] in " \r\n\t,":
            at += 1
        if text[at] == "]":
            return found
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end].encode())
        at = end


@sentence("{name} submits {n:int} indicators[ in {collection}][ as {called}]")
def submits_many(story, name, n, collection, called):
    """One envelope of n indicators, TLP:GREEN, each with a name of its own under many.example."""
    send_many(story, name, n, collection, called)
    accepted(story.it)


def send_many(story, name, n, collection, called):
    serial = story.memory["serial"] = story.memory.get("serial", 0) + 1
    texts = [indicator(f"[domain-name:value = 'h{i}.b{serial}.many.example']", "TLP:GREEN") for i in range(n)]
    send(story, story.member(name), Submission(called, name, texts, collection))


@sentence("{thing} is accepted")
def is_accepted(story, thing):
    """The answer to the submission: every object a success."""
    accepted(story.thing(thing))


@sentence("{thing} is pending")
def is_pending(story, thing):
    """The answer to the submission: held, with status pending, and not a failure."""
    made = story.thing(thing)
    if count_of(made.answer, "pending") != len(made.objects):
        raise Failure(f"{len(made.objects)} objects pending", json.dumps(made.answer)[:800])


@sentence("{thing} is refused")
def is_refused(story, thing):
    """The answer to the submission: every object a failure."""
    made = story.thing(thing)
    if count_of(made.answer, "failure") != len(made.objects):
        raise Failure(f"{len(made.objects)} objects refused", json.dumps(made.answer)[:800])


@sentence("{name} is told {words:texts} about {thing}")
def is_told(story, name, words, thing):
    """The status of the submission, as its submitter reads it, holds each of these words."""
    said = json.dumps(story.thing(thing).answer, ensure_ascii=False)
    for word in words:
        if word not in said:
            raise Failure(f"a status with \"{word}\"", said[:800])


@sentence("{name} submits an identity {label:text}[ in {collection}][ as {called}]")
def submits_identity(story, name, label, collection, called):
    """An organisation that names itself as its maker, sector energy, TLP:GREEN, with that label."""
    send(story, story.member(name), Submission(called, name, [identity(label)], collection))


@sentence("{name} submits {thing} once more")
def submits_again(story, name, thing):
    """The very same bytes again: no change."""
    old = story.thing(thing)
    send(story, story.member(name), Submission(None, name, old.texts, old.collection))
    story.it = old


def new_version(story, name, thing, **change):
    old = story.thing(thing)
    made = Submission(old.name, name, [version(text, **change) for text in old.texts if json.loads(text)["type"] == "indicator"],
                      old.collection)
    send(story, story.member(name), made)
    accepted(made)


@sentence("{name} retracts {thing}")
def retracts(story, name, thing):
    """A new version with revoked true: it was wrong."""
    new_version(story, name, thing, revoked=True)


@sentence("{name} lets {thing} expire")
def expires(story, name, thing):
    """A new version whose valid_until lies in the past: no longer current."""
    new_version(story, name, thing, valid_until=now_text(-0.5, 6))


@sentence("{name} changes {thing} to marking {marking:tlp}")
def remarks(story, name, thing, marking):
    """A new version with another marking."""
    new_version(story, name, thing, marking=marking)


# ---- receiving ----


def is_that(submission, found):
    """Whether an object that somebody received is (a release of) this submission: the pattern tells, since ids are minted."""
    return found.get("type") == "indicator" and any(found.get("pattern") == o["pattern"] for o in submission.indicators)


def releases(who, submission, collection=None):
    """What the member can read of it now, by TAXII."""
    objects, _ = who.account.pages(collection)
    return [o for o in objects if is_that(submission, o)]


def receive(story, name, thing, limit, words):
    who, made = story.member(name), story.thing(thing)
    n = len(made.indicators)
    watch = who.watch(made.collection)
    patterns = {o["pattern"] for o in made.indicators}

    def come():
        return {o.get("pattern") for o in watch.objects() if is_that(made, o)} == patterns

    try:
        wait_for(f"{n} objects in {name}'s stream", story.within(limit), come, 0.002)
    except Failure as failure:
        raise Failure(failure.expected, f"{len(watch.events)} events; {watch.error or 'no error'}") from None
    by_page = releases(who, made, made.collection)
    if {o["pattern"] for o in by_page} != patterns or len(by_page) != n:
        raise Failure(f"the same {n} objects once each in {name}'s pages", f"{[o.get('id') for o in by_page]}")
    made.release_ids = [o["id"] for o in by_page]
    without(story, name, thing, words or [])


@sentence("{name} receives {thing}[ within {limit:time}][ without {words:texts}]")
def receives(story, name, thing, limit, words):
    """It comes by the stream, stands in the pages once, and nothing that the member ever received (every byte of every answer and
    event) holds the words, in any case, or an id that the submitter coined."""
    receive(story, name, thing, limit, words)


@sentence("{names:names} receive {thing}[ within {limit:time}]")
def receive_all(story, names, thing, limit):
    """The same for several."""
    for name in names:
        receive(story, name, thing, limit, [])


@sentence("{name} receives {thing} again, under another id[ within {limit:time}]")
def receives_again(story, name, thing, limit):
    """It was taken from the member and comes back: its stream and its pages hold a live copy of another id than all that
    were taken back, and just one."""
    who, made = story.member(name), story.thing(thing)
    watch = who.watch(made.collection)

    def come():
        gone = {i for _, _, event, data in list(watch.events) if event in ("restrict", "retract") for i in re.findall(r'"id":"([^"]+)"', data)}
        return {o["id"] for o in watch.objects() if is_that(made, o)} - gone

    wait_for(f"a new release in {name}'s stream", story.within(limit), come)
    by_page = [o for o in releases(who, made, made.collection) if not o.get("revoked")]
    if {o["id"] for o in by_page} != come() or len(by_page) != 1:
        raise Failure(f"one live copy in {name}'s pages, of id {come()}", f"{[o.get('id') for o in by_page]}")


@sentence("{name} has read no word of {words:texts}")
def no_word(story, name, words):
    """No byte that the member ever received holds any of the words."""
    found = list(story.member(name).account.holds(words))
    if found:
        raise Failure(f"no {words} in what {name} received", f"{found[:5]}")


def without(story, name, thing, words):
    made, who = story.thing(thing), story.member(name)
    if made.by == name:
        return
    minted = [i for i in story.member(made.by).coined]
    found = list(who.account.holds([*words, *minted]))
    if found:
        raise Failure(f"nothing that names {made.by} in what {name} received", f"{found[:5]}")


def not_receive(story, name, thing):
    who, made = story.member(name), story.thing(thing)
    watch = who.watch(made.collection)
    time.sleep(0.3 * story.slow)
    seen = [o for o in watch.objects() if is_that(made, o)] or releases(who, made, made.collection)
    if seen:
        raise Failure(f"{name} does not receive it", json.dumps(seen[0])[:400])
    ids = getattr(made, "release_ids", [])
    for one in [*ids, *(o["id"] for o in made.indicators)]:
        path = f"{who.account.objects_path(made.collection)}{one}/"
        status, _, data = who.account.call("GET", path)
        if status != 404:
            raise Failure(f"404 to {name} asking for {one}", f"{status} {data[:200]!r}")
        status, _, manifest = who.account.call("GET", f"{who.account.root}collections/{made.collection or who.account.collection}/manifest/")
        if status == 200 and one.encode() in manifest:
            raise Failure(f"no {one} in {name}'s manifest", "it is there")


@sentence("{names:names} do not receive {thing}")
@sentence("{names:names} does not receive {thing}")
def does_not_receive(story, names, thing):
    """Not by stream, page, manifest or id: the answer is the same as for what does not exist."""
    for name in names:
        not_receive(story, name, thing)


@sentence("{names:names} lost {thing}[ within {limit:time}]")
def lost(story, names, thing, limit):
    """They had it, and no longer may: their stream took it back (restrict or retract), and no page shows them a copy that is not revoked."""
    for name in names:
        who, made = story.member(name), story.thing(thing)
        watch = who.watch(made.collection)
        ids = {o["id"] for o in watch.objects() if is_that(made, o)}
        if not ids:
            raise Failure(f"{name} had it", "it never came")
        wait_for(f"{name}'s stream takes {ids} back", story.within(limit), lambda: all(
            any(event in ("restrict", "retract") and i in data for _, _, event, data in list(watch.events)) for i in ids))
        left = [o for o in releases(who, made, made.collection) if not o.get("revoked")]
        if left:
            raise Failure(f"{name} reads it no more", json.dumps(left[0])[:400])


@sentence("{names:names} read that {n:int} others corroborate {thing}[ within {limit:time}]")
@sentence("{names:names} reads that {n:int} others corroborate {thing}[ within {limit:time}]")
def corroborated(story, names, n, thing, limit):
    """So many edges of the hub, not revoked, join objects of that pattern; each end is one that the member reads too."""
    made = story.thing(thing)
    for name in names:
        who = story.member(name)

        def edges():
            objects, _ = who.account.pages(made.collection)
            last = {o["id"]: o for o in objects}
            live = {i: o for i, o in last.items() if not o.get("revoked")}
            found = [o for o in live.values() if o["type"] == "relationship" and o.get("description", "").startswith("Corroborates")]
            ends = [live.get(o[end]) for o in found for end in ("source_ref", "target_ref")]
            if not all(o and is_that(made, o) for o in ends):
                return -1
            return len(found)

        time.sleep(0.3 * story.slow if n == 0 else 0)
        try:
            wait_for(f"{n} corroborations for {name}", story.within(limit), lambda: edges() == n)
        except Failure as failure:
            raise Failure(failure.expected, f"{edges()}") from None


@sentence("only {names:names} at {hub} receives {thing}[ within {limit:time}]")
def only_receives(story, names, hub, thing, limit):
    """Those, and no other member of that hub but the submitter."""
    for name in names:
        receive(story, name, thing, limit, [])
    for other in story.others(story.hub(hub), [*names, story.thing(thing).by]):
        not_receive(story, other.name, thing)


@sentence("nobody else at {hub} receives {thing}")
def nobody_receives(story, hub, thing):
    """No member of that hub but the submitter."""
    for other in story.others(story.hub(hub), [story.thing(thing).by]):
        not_receive(story, other.name, thing)


@sentence("{name} reads {thing} back byte for byte")
def reads_back(story, name, thing):
    """The submitter gets its own object: the same id, the same bytes; and the release stands nowhere beside it."""
    who, made = story.member(name), story.thing(thing)
    for text, one in zip(made.texts, made.objects):
        query = urllib.parse.urlencode({"match[id]": one["id"]})
        status, _, data = who.account.call("GET", f"{who.account.objects_path(made.collection)}?{query}")
        if status != 200 or text not in data:
            raise Failure(f"the submitted bytes of {one['id']}", f"{status} {data[:600]!r}")
    shown = releases(who, made, made.collection)
    if len(shown) != len(made.indicators):
        raise Failure("each of its indicators once in its own pages", f"{[o['id'] for o in shown]}")


@sentence("{name}'s copy of {thing} is marked {marking:tlp}")
def copy_marked(story, name, thing, marking):
    """The release carries that marking, and no other."""
    for one in _copies(story, name, thing):
        if one.get("object_marking_refs") != [TLP[marking]]:
            raise Failure(f"marked {marking}", f"{one.get('object_marking_refs')}")


@sentence("{name}'s copy of {thing} expires within {limit:time}")
def copy_expires(story, name, thing, limit):
    """The release carries a valid_until, not later than that."""
    for one in _copies(story, name, thing):
        if not now_text() < one.get("valid_until", "") <= now_text(limit):
            raise Failure(f"valid_until between now and {now_text(limit)}", f"{one.get('valid_until')}")


@sentence("{name}'s copy of {thing} is revoked")
def copy_revoked(story, name, thing):
    """The newest version that the member reads has revoked true."""
    for one in _copies(story, name, thing):
        if one.get("revoked") is not True:
            raise Failure("revoked true", json.dumps(one)[:400])


@sentence("{name} is told of {word} {thing} within {limit:time}")
def told(story, name, word, thing, limit):
    """An event of that name (retract, restrict, expire) comes in the member's stream, for the release of it."""
    who, made = story.member(name), story.thing(thing)
    watch = who.watch(made.collection)
    ids = {o["id"] for o in watch.objects() if is_that(made, o)}

    def come():
        return any(event == word and any(i in data for i in ids) for _, _, event, data in list(watch.events))

    wait_for(f"event {word} for {ids}", story.within(limit), come)


def _copies(story, name, thing):
    found = releases(story.member(name), story.thing(thing), story.thing(thing).collection)
    if not found:
        raise Failure(f"{name} holds a copy", "it holds none")
    return found


# ---- streams and pollers ----


@sentence("{name} watches")
def watches(story, name):
    """Opens the member's stream from the beginning."""
    who = story.member(name)
    watch = who.watch()
    wait_for("the stream is open", story.within(None), lambda: watch.connects)


@sentence("{name} looks away")
def looks_away(story, name):
    """Closes the member's stream; the place is remembered."""
    who = story.member(name)
    story.memory[name, "watch"] = who.watches.pop(None)
    story.memory[name, "watch"].stop()


@sentence("{name} watches again from where it stopped")
def watches_again(story, name):
    """Opens the stream with Last-Event-ID; earlier events must not come again."""
    who, old = story.member(name), story.memory[name, "watch"]
    if not old.last_id:
        raise Failure("the stream gave an event id", "none")
    watch = Watch(who.account, None, old.last_id)
    watch.events = list(old.events)
    who.watches[None] = watch


@sentence("{name}'s stream showed every object exactly once")
def stream_once(story, name):
    """Over all its streams together: no object version twice."""
    seen = [(o["id"], o.get("modified")) for o in story.member(name).watch().objects()]
    twice = sorted({one for one in seen if seen.count(one) > 1})
    if twice:
        raise Failure("every object once", f"twice: {twice[:5]}")


@sentence("{name} polls")
def polls(story, name):
    """Reads what is new by added_after alone, from the last X-TAXII-Date-Added-Last on, page by page, and adds it to what it has."""
    who = story.member(name)
    have, after = story.memory.setdefault((name, "polled"), {}), story.memory.get((name, "after"), "")
    while True:
        query = "limit=3" + (f"&added_after={urllib.parse.quote(after)}" if after else "")
        status, headers, data = who.account.call("GET", f"{who.account.objects_path()}?{query}")
        page = json.loads(data)
        if status != 200:
            raise Failure("200", f"{status} {data[:300]!r}")
        for one in page.get("objects", []):
            have[one["id"]] = one
        last = headers.get("x-taxii-date-added-last")
        if page.get("objects") and (not last or last <= after):
            raise Failure("X-TAXII-Date-Added-Last moves on", f"{after} -> {last}")
        after = last or after
        if not page.get("more"):
            break
    story.memory[name, "after"] = after


@sentence("{name}'s poller has exactly what a fresh reader gets")
def poller_agrees(story, name):
    """Equal sets of objects and versions, revoked ones left out on both sides."""
    who = story.member(name)
    fresh, _ = who.account.pages()
    want = {(o["id"], o.get("modified")) for o in fresh if not o.get("revoked")}
    have = {(o["id"], o.get("modified")) for o in story.memory.get((name, "polled"), {}).values() if not o.get("revoked")}
    if want != have:
        raise Failure("the same set", f"only fresh: {sorted(want - have)[:3]}, only polled: {sorted(have - want)[:3]}")


@sentence("{name} holds {n:int} objects")
def holds_count(story, name, n):
    """So many objects in the member's pages, over all types."""
    objects, _ = story.member(name).account.pages()
    if len(objects) != n:
        raise Failure(f"{n} objects", f"{len(objects)}")


@sentence("{name} reads only STIX 2.1")
def reads_only_21(story, name):
    """No object in the member's pages is of STIX 2.0: each says 2.1, and none has what 2.1 took away."""
    objects, _ = story.member(name).account.pages()
    old = [o for o in objects if o.get("spec_version") != "2.1" or (o["type"] == "observed-data" and "objects" in o)]
    if not objects or old:
        raise Failure("objects of STIX 2.1", json.dumps(old)[:600])


@sentence("{name} finds {words:texts} in its pages")
def finds(story, name, words):
    """Each of the words stands in an object that the member reads."""
    text = json.dumps(story.member(name).account.pages()[0], ensure_ascii=False)
    missing = [w for w in words if w not in text]
    if missing:
        raise Failure(f"{missing} in its pages", text[:600])


# ---- many, while things break ----


@sentence("{name} submits {n:int} indicators one by one while {what:any} is killed {times:int} times")
def under_kills(story, name, n, what, times):
    """Each by a POST of its own; what was not acknowledged is sent again with the same bytes. `what` is a hub, or its core or keys:
    `north`, `north's core`, `north's keys`. A whole hub is started again at once. Goes on until all are acknowledged."""
    story.act()
    who = story.member(name)
    hub_name, _, part = what.partition("'s ")
    victim = story.hub(hub_name)
    serial = story.memory["serial"] = story.memory.get("serial", 0) + 1
    texts = [indicator(f"[domain-name:value = 'k{i}.b{serial}.kill.example']", "TLP:GREEN") for i in range(n)]
    made = Submission(None, name, texts, None)
    story.it, made.marks = made, dict(story.marks)
    who.coined += [o["id"] for o in made.objects]
    done, end = [], time.monotonic() + 120 * story.slow

    def post_all():
        for text in texts:
            while time.monotonic() < end:
                try:
                    status, _, data = who.account.call("POST", who.account.objects_path(), b'{"objects":[' + text + b"]}")
                    if status == 202 and json.loads(data).get("success_count") == 1:
                        done.append(text)
                        break
                except (OSError, ValueError):
                    pass
                time.sleep(0.02)

    sender = threading.Thread(target=post_all, daemon=True)
    sender.start()
    for k in range(times):
        at = (k + 1) * n // (times + 1)
        wait_for(f"{at} of {n} acknowledged", 60 * story.slow, lambda: len(done) >= at or not sender.is_alive())
        since = victim.program.log.mark()
        victim.kill(part or "monitor")
        if part:
            victim.ready(since, 20)
        else:
            victim.start(20)
    sender.join(120 * story.slow)
    if len(done) != n:
        raise Failure(f"{n} acknowledged", f"{len(done)}")


# ---- who confirmed a recall ----


def last_recall(story, hub):
    """The newest recall that `tocsin recalls` shows."""
    found = story.world.json("recalls", "--hub", story.hub(hub).dir)["recalls"]
    return found[0] if found else {"recipients": [], "counts": {"confirmed": 0, "all": 0}}


def standings(story, hub, name, kind):
    return [one for one in last_recall(story, hub)["recipients"] if (one["who"], one["kind"]) == (name, kind)]


@sentence("{hub} shows its last recall {state} at {name}'s {kind}[ within {limit:time}]")
def shows_recall(story, hub, state, name, kind, limit):
    """`tocsin recalls`: where each sensor, client or hub of that name stands about the newest recall: confirmed, delivered, waiting,
    lapsed, or unconfirmable."""
    state = "cannot confirm" if state == "unconfirmable" else state
    wait_for(f"{name}'s {kind} is {state}", story.within(limit),
             lambda: (found := standings(story, hub, name, kind)) and all(one["state"] == state for one in found), 0.1)


@sentence("{hub} counts {done:int} of {of:int} behind {name}[ within {limit:time}]")
def counts_behind(story, hub, done, of, name, limit):
    """The partner hub's own count of its recipients of the newest recall; and no name of theirs in the answer."""
    wait_for(f"{done} of {of} behind {name}", story.within(limit),
             lambda: any((one.get("done"), one.get("of")) == (done, of) for one in standings(story, hub, name, "hub")), 0.1)
    told = json.dumps(last_recall(story, hub))
    theirs = [one for one in story.world.members.values() if one.hub.name == name and one.name in told]
    if theirs:
        raise Failure("a count, no names", told[:500])


@sentence("{hub}'s last recall is confirmed by {done:int} of {of:int}")
def confirmed_by(story, hub, done, of):
    """The summary of the newest recall."""
    counts = last_recall(story, hub)["counts"]
    if (counts["confirmed"], counts["all"]) != (done, of):
        raise Failure(f"{done} of {of}", json.dumps(counts))
