"""Sentences about who is let in: credentials of members, how products send them, and what happens to guesses."""
import base64
import json
import threading
import time
import urllib.parse

from lab.client import MEDIA
from lab.process import Failure
from lab.story import sentence


class Credential:
    """A token of a member, or a short one that was given for it."""

    def __init__(self, member, name, secret):
        self.member, self.name, self.secret, self.stream_ended = member, name, secret, threading.Event()


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


# How products send what they were given (one row each): headers made of (member, secret).
WAYS = {
    "Bearer": lambda m, s: {"Authorization": f"Bearer {s}"},
    "bearer in lower case": lambda m, s: {"Authorization": f"bearer {s}"},
    "Token": lambda m, s: {"Authorization": f"Token {s}"},
    "X-API-Key": lambda m, s: {"X-API-Key": s},
    "Basic": lambda m, s: basic(m, s),
    "basic in lower case": lambda m, s: {"Authorization": basic(m, s)["Authorization"].replace("Basic", "basic")},
    "Basic without a user": lambda m, s: basic("", s),
    "Basic with the key as user": lambda m, s: basic(s, ""),
    "Basic under another's name": lambda m, s: basic("somebody-else", s),
}


def credential(story, name):
    known = story.memory.setdefault("credentials", {})
    if name not in known:
        raise Failure(f"a credential called {name}", ", ".join(known) or "none")
    return known[name]


def ask(account, headers, method="GET", path=None, body=None):
    """(status, headers, body) on a connection of its own."""
    connection = account.connect()
    more = {"Content-Type": MEDIA} if body is not None else {}
    connection.request(method, path or f"{account.root}collections/", body, {"Accept": MEDIA, **more, **headers})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data


def expect(status, seen):
    if seen[0] != status:
        raise Failure(f"status {status}", f"{seen[0]} {seen[2][:300]!r}")


@sentence("{name} is given the token {token}[, {limits:any}]")
def given(story, name, token, limits):
    """A token of a member. Limits, with commas: read only, retract only, from NETWORK, N requests a minute, for DURATION."""
    member, options = story.member(name), []
    for limit in (limits or "").split(", "):
        words = limit.split()
        if limit in ("read only", "retract only"):
            options.append("--" + limit.replace(" ", "-"))
        elif words[:1] == ["from"]:
            options += ["--from", words[1]]
        elif words[:1] == ["for"]:
            options += ["--expires", words[1]]
        elif words[1:] == ["requests", "a", "minute"]:
            options += ["--requests", words[0]]
        elif limit:
            raise Failure("a limit of a credential", limit)
    said = json.loads(member.hub.command("member", "credential", "add", name, token, "--json", *options).stdout)
    story.memory.setdefault("credentials", {})[token] = Credential(member, token, said["secret"])


@sentence("{token} is good from {network:any} only")
def only_from(story, token, network):
    """Its allow-list is changed; the secret stays."""
    c = credential(story, token)
    c.member.hub.command("member", "credential", "change", c.member.name, token, "--from", network)


@sentence("{token} is revoked")
def revoked(story, token):
    """Removed while the hub runs."""
    c = credential(story, token)
    c.member.hub.command("member", "credential", "remove", c.member.name, token)


@sentence("{token} opens by {way:any} with {status:int}")
def opens(story, token, way, status):
    """Asks for the collections as a product would that sends its key in this way; the status is exactly that."""
    c = credential(story, token)
    if way not in WAYS:
        raise Failure("a known way", f"{way}; known: {', '.join(WAYS)}")
    seen = ask(c.member.account, WAYS[way](c.member.name, c.secret))
    expect(status, seen)
    if status == 401 and "www-authenticate" not in seen[1]:
        raise Failure("WWW-Authenticate with 401", str(seen[1]))


@sentence("{token} submits with {status:int}")
def submits(story, token, status):
    """Posts an empty envelope."""
    c = credential(story, token)
    expect(status, ask(c.member.account, WAYS["Bearer"]("", c.secret), "POST", c.member.account.objects_path(), b'{"objects":[]}'))


@sentence("{token} is told that it may {what:any}")
def told(story, token, what):
    """can_write of the collection, which products show to their users: read, or read and write."""
    c = credential(story, token)
    account = c.member.account
    _, _, data = ask(account, WAYS["Bearer"]("", c.secret), path=f"{account.root}collections/{account.collection}/")
    if json.loads(data).get("can_write") is not (what == "read and write"):
        raise Failure(what, data[:300])


@sentence("{token} deletes {what} with {status:int}")
def deletes(story, token, what, status):
    """TAXII DELETE of what its member submitted."""
    c = credential(story, token)
    path = c.member.account.objects_path() + story.thing(what).indicator["id"] + "/"
    expect(status, ask(c.member.account, WAYS["Bearer"]("", c.secret), "DELETE", path))


@sentence("{token} is traded for the short token {short}")
def traded(story, token, short):
    """OAuth 2 client credentials: the member's name and the token for a token that ends soon."""
    c = credential(story, token)
    connection = c.member.account.connect()
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": c.member.name, "client_secret": c.secret})
    connection.request("POST", "/oauth2/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    said = json.loads(answer.read())
    if answer.status != 200 or said.get("token_type") != "Bearer" or answer.getheader("Cache-Control") != "no-store":
        raise Failure("a Bearer token that nobody keeps", f"{answer.status} {said} {answer.getheaders()}")
    story.memory["credentials"][short] = Credential(c.member, short, said["access_token"])


@sentence("{token} holds a stream open")
def streams(story, token):
    """Follows the collection; the end of the stream is waited for by another sentence."""
    c = credential(story, token)
    account, opened = c.member.account, threading.Event()
    state = {"status": 0}

    def follow():
        connection = account.connect()
        headers = {**WAYS["Bearer"]("", c.secret), "Accept": "text/event-stream"}
        connection.request("GET", f"{account.root}collections/{account.collection}/stream/", headers=headers)
        answer = connection.getresponse()
        state["status"] = answer.status
        opened.set()
        try:
            while answer.status == 200 and answer.read1(65536):
                pass
        except OSError:
            pass
        c.stream_ended.set()

    threading.Thread(target=follow, daemon=True).start()
    if not opened.wait(story.within(5)) or state["status"] != 200:
        raise Failure("a stream", f"status {state['status']}")
    time.sleep(0.2 * story.slow)
    if c.stream_ended.is_set():
        raise Failure("a stream that stays open", "it ended")


@sentence("the stream of {token} is cut within {limit:time}")
def cut(story, token, limit):
    """The hub closes it."""
    if not credential(story, token).stream_ended.wait(story.within(limit)):
        raise Failure(f"the stream ends within {limit:g} s", "it is still open")


@sentence("a stranger guesses at {name} until told to wait")
def guesses(story, name):
    """Wrong passwords, one after the other: soon the answer is 429 with whole seconds to wait."""
    account, refused = story.member(name).account, 0
    for _ in range(30):
        status, headers, data = ask(account, basic(name, f"guess {refused}"))
        if status == 429 and headers.get("retry-after", "").isdigit() and int(headers["retry-after"]) > 0:
            return
        if status != 401:
            raise Failure("401, and soon 429 with Retry-After", f"{status} {headers} {data[:200]!r}")
        refused += 1
    raise Failure("429 within 30 guesses", "30 times 401")


@sentence("{token} asks until told to wait")
def hurries(story, token):
    """Requests, one after the other, until 429 with whole seconds to wait."""
    c = credential(story, token)
    for n in range(200):
        status, headers, data = ask(c.member.account, WAYS["Bearer"]("", c.secret))
        if status == 429 and n > 0 and headers.get("retry-after", "").isdigit() and int(headers["retry-after"]) > 0:
            return
        if status != 200:
            raise Failure("200, and then 429 with Retry-After", f"{status} {headers} {data[:200]!r}")
    raise Failure("429 within 200 requests", "200 times 200")
