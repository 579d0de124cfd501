"""Stories: plain sentences, one a line, each bound to one function by a pattern that a reader understands.

In a pattern, {name} is an actor or a thing named before; {x:text} is "quoted"; {x:texts} several quoted; {x:time} like 2s or
300ms; {x:int} a number; {x:names} like `bank, clinic`; {x:tlp} like TLP:GREEN; {x:any} the rest of the line; [ ] may be left out."""
import json
import pathlib
import re
import time
import traceback

from lab.process import Failure
from lab.world import World

KINDS = {
    "name": r"[a-z][a-z0-9-]*",
    "names": r"[a-z][a-z0-9-]*(?:(?:, | and )[a-z][a-z0-9-]*)*",
    "text": r'"[^"]*"',
    "texts": r'"[^"]*"(?:,? "[^"]*")*',
    "time": r"\d+(?:\.\d+)?(?:ms|s|min|h|d)",
    "int": r"\d+",
    "tlp": r"TLP:[A-Z+]+",
    "any": r".+",
}
SECONDS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}
SENTENCES = []  # (pattern as written, compiled, function)


def sentence(pattern):
    """Binds a pattern to a function of (story, **what the pattern names)."""

    def bind(function):
        SENTENCES.append((pattern, re.compile(_regex(pattern)), function))
        return function

    return bind


def _regex(pattern):
    out = ""
    for literal, name, kind, bracket in re.findall(r"([^{}\[\]]+)|\{(\w+)(?::(\w+))?\}|([\[\]])", pattern):
        if bracket:
            out += "(?:" if bracket == "[" else ")?"
        elif name:
            out += f"(?P<{name}>{KINDS[kind or 'name']})"
        else:
            out += re.escape(literal)
    return out


def _value(pattern, name, text):
    """The captured text as the function wants it; None when it was left out."""
    if text is None:
        return None
    kind = re.search(r"\{%s(?::(\w+))?\}" % name, pattern)[1] or "name"
    if kind == "text":
        return text[1:-1]
    if kind == "texts":
        return re.findall(r'"([^"]*)"', text)
    if kind == "names":
        return re.split(r", | and ", text)
    if kind == "int":
        return int(text)
    if kind == "time":
        number, unit = re.fullmatch(r"([\d.]+)(\w+)", text).groups()
        return float(number) * SECONDS[unit]
    return text


class Submission:
    """What somebody submitted: the objects in its own bytes, and how the hub answered."""

    def __init__(self, name, by, objects, collection):
        self.name, self.by, self.collection = name, by, collection
        self.texts = objects                                   # the objects as bytes, in order
        self.objects = [json.loads(text) for text in objects]
        self.envelope = b'{"objects":[' + b",".join(objects) + b"]}"
        self.answer, self.at, self.marks = None, None, {}
        self.indicators = [o for o in self.objects if o["type"] == "indicator"]

    @property
    def indicator(self):
        return self.indicators[0]

    @property
    def values(self):
        """The literal values of the patterns: what a sensor alerts on."""
        return [v for o in self.indicators for v in re.findall(r"= '([^']*)'", o["pattern"])]


class Story:
    """One story under way: the world, what was submitted by name, and what stands for `it`."""

    def __init__(self, path, tocsin, slow=1.0, keep=None, root=None):
        self.path = pathlib.Path(path)
        self.world = World(tocsin, slow, keep)
        self.root = root or self.path.parent
        self.submissions, self.it = {}, None
        self.marks = {}      # program log -> place when the last act began
        self.memory = {}     # what sentences keep for one another

    @property
    def slow(self):
        return self.world.slow

    def hub(self, name):
        if name not in self.world.hubs:
            raise Failure(f"a hub called {name}", f"{', '.join(self.world.hubs) or 'none'}")
        return self.world.hubs[name]

    def member(self, name):
        if name not in self.world.members:
            raise Failure(f"a member called {name}", f"{', '.join(self.world.members) or 'none'}")
        return self.world.members[name]

    def thing(self, name):
        """A submission by its name; `it` is the last one."""
        if name == "it" and self.it:
            return self.it
        if name not in self.submissions:
            raise Failure(f"something submitted as {name}", f"{', '.join(self.submissions) or 'nothing'}")
        return self.submissions[name]

    def others(self, hub, named):
        return [m for m in self.world.members.values() if m.hub is hub and m.name not in named]

    def act(self):
        """Called where a sentence does something: what is checked afterwards must come later in the logs."""
        self.marks = {log.path: log.mark() for _, log in self.world.logs()}

    def since(self, program):
        return self.marks.get(program.log.path, program.started_at)

    def within(self, seconds, standard=5.0):
        return (standard if seconds is None else seconds) * self.slow


def read_story(path):
    """(number of the line, sentence) of every line that is not a comment."""
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line


def find_sentence(line):
    for pattern, compiled, function in SENTENCES:
        found = compiled.fullmatch(line)
        if found:
            return function, {k: _value(pattern, k, v) for k, v in found.groupdict().items()}
    return None, None


@sentence("it is false that {claim:any}")
def is_false(story, claim):
    """The claim is another sentence, which must fail: this is how the runner's own checks are checked."""
    function, values = find_sentence(claim)
    if function is None:
        raise Failure("a sentence that the runner knows", claim)
    try:
        function(story, **values)
    except Failure:
        return
    raise Failure("the claim fails", "it held")


def run_story(path, tocsin, slow=1.0, keep=None, say=lambda line: None):
    """Runs one story. None when all of it happened; else the report for a person."""
    lines = list(read_story(path))
    for number, line in lines:  # a story with an unknown sentence does not start
        if find_sentence(line)[0] is None:
            return f"{path}:{number}: {line}\n    this is not a sentence that the runner knows (tools/scenario --sentences)"
    story = Story(path, tocsin, slow, keep)
    try:
        for number, line in lines:
            started = time.monotonic()
            try:
                function, values = find_sentence(line)
                function(story, **values)
            except Failure as failure:
                return _report(story, number, line, failure.expected, failure.seen)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                return _report(story, number, line, "the sentence can be carried out",
                               f"{type(error).__name__}: {error} ({pathlib.Path(where.filename).name}:{where.lineno})")
            say(f"{time.monotonic() - started:7.3f} s  {line}")
        story.world.close()
        return None
    except Failure as failure:
        return _report(story, lines[-1][0], "the end of the story", failure.expected, failure.seen)
    finally:
        try:
            story.world.close()
        except Failure:
            pass


def _report(story, number, line, expected, seen):
    out = [f"{story.path}:{number}: {line}", f"    expected: {expected}", f"    seen:     {seen}"]
    for name, log in story.world.logs():
        out += [f"    the last events of {name}:", *(f"        {event[:400]}" for event in log.tail(10))]
    return "\n".join(out)
