"""Sentences about the dialects of members' tools: switches in a member's row, and what its pages then hold."""
import json

from lab.objects import version
from lab.process import Failure, wait_for
from lab.sentences_sharing import accepted, send
from lab.story import Submission, sentence

TLP1_GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"


@sentence("{name}'s tool needs {words:any}")
def tool_needs(story, name, words):
    """`tocsin member change`: compat words with commas, then perhaps `types TYPE,...` and `pages of N`."""
    options, rest = [], words.split(" ")
    options += ["--compat", rest.pop(0)]
    while rest:
        word = rest.pop(0)
        if word == "types":
            options += ["--types", rest.pop(0)]
        elif rest[:1] == ["of"] and word == "pages":
            options += ["--page-size", rest[1]]
            rest = rest[2:]
        else:
            raise Failure("words that describe what a tool needs", words)
    story.member(name).hub.command("member", "change", name, *options)


def patterns(story, name):
    """What a fresh reader has: {value in the pattern: is it revoked}, by the last object of each id."""
    objects, _ = story.member(name).account.pages(limit=3)
    last = {o["id"]: o for o in objects if o["type"] == "indicator"}
    return {o["pattern"]: o.get("revoked", False) for o in last.values()}, objects


@sentence("{name}'s tool has the indicators {values:texts}[ and revoked {gone:texts}]")
def tool_has(story, name, values, gone):
    """Its pages, followed by `next`: exactly these patterns, each an indicator of its own."""
    wanted = {**{v: False for v in values}, **{v: True for v in gone or ()}}
    wait_for(f"{name} reads {wanted}", story.within(None), lambda: patterns(story, name)[0] == wanted, 0.1)


@sentence("{name}'s tool has revoked {gone:texts}")
def tool_has_revoked(story, name, gone):
    """Its pages hold these patterns, each revoked, and no others."""
    tool_has(story, name, (), gone)


@sentence("everything that {name}'s tool has is marked TLP 1 beside")
def tool_has_tlp1(story, name):
    """Each object with a marking of TLP 2 carries that of TLP 1 too."""
    for one in patterns(story, name)[1]:
        if "object_marking_refs" in one and TLP1_GREEN not in one["object_marking_refs"]:
            raise Failure("the TLP 1 id beside", json.dumps(one))


@sentence("everything that {name}'s tool has is STIX 2.0")
def tool_has_stix20(story, name):
    """Pages and manifest: objects without spec_version, with labels where 2.0 asks for them, of types that 2.0 has."""
    account = story.member(name).account
    objects = patterns(story, name)[1]
    types = {"indicator", "identity", "marking-definition", "report", "malware", "relationship"}
    for one in objects:
        if "spec_version" in one or one["type"] not in types or (one["type"] == "indicator" and not one.get("labels")):
            raise Failure("an object of STIX 2.0", json.dumps(one))
    manifest = account.json(account.objects_path().replace("/objects/", "/manifest/"))
    media = {entry["media_type"] for entry in manifest.get("objects", [])}
    if not objects or media != {"application/vnd.oasis.stix+json;version=2.0"}:
        raise Failure("objects, and a manifest that says STIX 2.0", f"{len(objects)} objects, {media}")


@sentence("{name} gets a list even where there is nothing")
def tool_has_empty_list(story, name):
    """A page without objects holds "objects": []."""
    account = story.member(name).account
    page = account.json(f"{account.objects_path()}?added_after=2099-01-01T00:00:00Z")
    if page != {"objects": []}:
        raise Failure('{"objects": []}', json.dumps(page))


@sentence("{name} changes {thing} to {pattern:text}")
def changes_pattern(story, name, thing, pattern):
    """A newer version with another pattern, its marking as it was."""
    made = story.thing(thing)
    newer = Submission(made.name, name, [version(text, pattern=pattern) for text in made.texts], made.collection)
    send(story, story.member(name), newer)
    accepted(newer)
