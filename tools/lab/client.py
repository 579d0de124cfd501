"""A TAXII 2.1 client of the laboratory's own, independent of the program under test. It keeps every byte that its party
received: what must not be read there is looked for in all of them."""
import base64
import http.client
import json
import pathlib
import re
import ssl
import threading
import time
import urllib.parse

MEDIA = "application/taxii+json;version=2.1"


def yaml_flat(text):
    """The few shapes of YAML that client files use: key: value, quotes, and a literal block."""
    values, lines = {}, text.splitlines()
    at = 0
    while at < len(lines):
        found = re.match(r"([a-z_]+):\s*(.*)$", lines[at])
        at += 1
        if not found:
            continue
        key, value = found[1], found[2].strip()
        if value.startswith("|"):
            block = []
            while at < len(lines) and (not lines[at].strip() or lines[at][0] == " "):
                block.append(lines[at].strip())
                at += 1
            value = "\n".join(block) + "\n"
        elif value[:1] == '"':
            value = json.loads(value[: value.rindex('"') + 1])
        elif value[:1] == "'":
            value = value[1 : value.rindex("'")].replace("''", "'")
        else:
            value = value.split(" #")[0].strip()
        values[key] = value
    return values


class Account:
    """A client file, and the bytes that came to its holder."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.values = yaml_flat(self.path.read_text())
        parts = urllib.parse.urlsplit(self.values["url"])
        self.host, self.port = parts.hostname, parts.port or 443
        self.root = "/" + self.values.get("root", "").strip("/") + "/"
        self.collection = self.values.get("collection", "")
        self.received = []  # (when, where from, bytes)
        self._lock = threading.Lock()
        self._kept = None

    def tls(self):
        context = ssl.create_default_context(cadata=self.ca()) if self.ca() else ssl._create_unverified_context()
        return context

    def ca(self):
        ca = self.values.get("ca", "")
        if ca and "BEGIN" not in ca:
            where = pathlib.Path(ca)
            ca = (where if where.is_absolute() else self.path.parent / where).read_text()
        return ca

    def authorization(self):
        return "Basic " + base64.b64encode(f"{self.values['user']}:{self.values['password']}".encode()).decode()

    def headers(self, **more):
        return {"Authorization": self.authorization(), "Accept": MEDIA, **more}

    def objects_path(self, collection=None):
        return f"{self.root}collections/{collection or self.collection}/objects/"

    def connect(self, timeout=30):
        if self.values["url"].startswith("http://"):
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=self.tls())

    def keep(self, where, *pieces):
        with self._lock:
            self.received.append((time.monotonic(), where, b"".join(pieces)))

    def call(self, method, path, body=None, **more):
        """(status, headers, body). One kept connection; a server that closed it is called again once, if nothing was sent to it."""
        headers = self.headers(**more)
        if body is not None:
            headers["Content-Type"] = MEDIA
        for again in (True, False):
            fresh = self._kept is None
            if fresh:
                self._kept = self.connect()
            try:
                self._kept.request(method, path, body, headers)
                answer = self._kept.getresponse()
                data = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError, OSError):
                self._kept = None
                if fresh or not again or method == "POST":
                    raise
        head = "".join(f"{k}: {v}\r\n" for k, v in answer.getheaders()).encode()
        self.keep(path, head, data)
        if answer.will_close:
            self._kept = None
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data

    def json(self, path):
        status, _, data = self.call("GET", path)
        if status != 200:
            raise OSError(f"GET {path}: {status} {data[:300]!r}")
        return json.loads(data)

    def pages(self, collection=None, query="", limit=500):
        """All objects of a collection, by `next`: list of objects, and the raw envelopes."""
        objects, raw, following = [], [], ""
        while True:
            ask = "&".join(p for p in (f"limit={limit}", query, following) if p)
            status, headers, data = self.call("GET", f"{self.objects_path(collection)}?{ask}")
            if status == 404:
                return [], []
            if status != 200:
                raise OSError(f"page: {status} {data[:300]!r}")
            page = json.loads(data)
            objects += page.get("objects", [])
            raw.append(data)
            if not page.get("more"):
                return objects, raw
            following = "next=" + urllib.parse.quote(page["next"], safe="")

    def holds(self, words):
        """Which of the words stand in anything that was received, in any case: (word, where)."""
        with self._lock:
            received = list(self.received)
        for _, where, data in received:
            low = data.lower()
            for word in words:
                if any(not _by_chance(word, data, m) for m in re.finditer(re.escape(word.lower().encode()), low)):
                    yield word, where


def _by_chance(word, data, found):
    """A short word inside a long run of base64 (a cursor, an event id) stands there by accident once in a few hundred runs."""
    if len(word) >= 6:
        return False
    before = re.search(rb"[A-Za-z0-9+/=_-]*$", data[: found.start()])[0]
    after = re.match(rb"[A-Za-z0-9+/=_-]*", data[found.end():])[0]
    return len(before) + len(after) >= 20


class Watch:
    """Follows a collection's stream in a thread; comes back with Last-Event-ID when the stream breaks."""

    def __init__(self, account, collection=None, last_id=""):
        self.account, self.collection = account, collection or account.collection
        self.events = []  # (when it came, id, name, data text)
        self.last_id, self.connects, self.error = last_id, 0, ""
        self._stop, self._socket = threading.Event(), None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        try:
            if self._socket:
                self._socket.shutdown(2)
        except OSError:
            pass
        self._thread.join(5)

    def _run(self):
        while not self._stop.is_set():
            try:
                self._once()
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.error = str(error)
            self._stop.wait(0.05)

    def _once(self):
        headers = {**self.account.headers(), "Accept": "text/event-stream"}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        connection = self.account.connect()
        path = f"{self.account.root}collections/{self.collection}/stream/"
        connection.request("GET", path, headers=headers)
        self._socket = connection.sock  # the answer takes it away from the connection
        answer = connection.getresponse()
        self.account.keep(path, str(answer.getheaders()).encode())
        if answer.status != 200:
            data = answer.read()
            self.account.keep(path, data)
            raise OSError(f"stream: {answer.status} {data[:200]!r}")
        self.connects += 1
        rest = b""
        while not self._stop.is_set():
            piece = answer.read1(65536)
            if not piece:
                return
            self.account.keep(path, piece)
            *blocks, rest = re.split(rb"\r?\n\r?\n", rest + piece)
            for block in blocks:
                self._block(block.decode())

    def _block(self, block):
        fields = {"id": self.last_id, "event": "message", "data": None}
        for line in block.splitlines():
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "data" and fields["data"] is not None:
                value = fields["data"] + "\n" + value
            if name in fields:
                fields[name] = value
        self.last_id = fields["id"]
        if fields["data"] is not None:
            self.events.append((time.monotonic(), fields["id"], fields["event"], fields["data"]))

    def objects(self, name="add"):
        """The objects that events of that name carried, in order."""
        found = []
        for _, _, event, data in list(self.events):
            if event == name:
                content = json.loads(data)
                if isinstance(content.get("object"), dict):
                    found.append(content["object"])
        return found
