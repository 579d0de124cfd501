"""A TAXII 2.1 server that is no Tocsin, with habits of the field: next as a number, added_after inclusive, dates in milliseconds,
seven objects a page at most. It serves what it is told to publish, under one user and password."""
import base64
import http.server
import json
import threading
import time
import urllib.parse

COLLECTION = "5b1b1c1e-0000-4000-8000-00000000000c"
MEDIA = "application/taxii+json;version=2.1"


class Foreign:
    def __init__(self, name):
        self.name, self.objects, self.lock = name, [], threading.Lock()   # (date in us, object)
        self.authorization = "Basic " + base64.b64encode(b"user:pass").decode()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, body, headers = outer.answer(self.path, self.headers.get("Authorization"))
                data = json.dumps(body).encode()
                self.send_response(status)
                for key, value in {"Content-Type": MEDIA, "Content-Length": str(len(data)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def publish(self, n, first=None, revoked=False):
        """n more indicators, unmarked; or the existing ones from `first` on anew, revoked."""
        with self.lock:
            at = time.time_ns() // 1000
            for k in range(n):
                i = len(self.objects) if first is None else first + k
                # Never at the same instant, never behind the last.
                at = max(at, self.objects[-1][0]) + 211 if self.objects else at + 211
                changed = "2026-11-02T00:00:00.000Z" if revoked else "2026-11-01T00:00:00.000Z"
                self.objects.append((at, {
                    "type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{i:012d}",
                    "created": "2026-11-01T00:00:00.000Z", "modified": changed, "revoked": revoked,
                    "pattern": f"[domain-name:value = 'f{i}.example']", "pattern_type": "stix",
                    "valid_from": "2026-11-01T00:00:00.000Z"}))

    def answer(self, path, authorization):
        if authorization != self.authorization:
            return 401, {"title": "who are you?", "http_status": "401"}, {"WWW-Authenticate": "Basic realm=\"feed\""}
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/taxii2/":
            return 200, {"title": "feed", "default": "/api/", "api_roots": ["/api/"]}, {}
        if url.path == f"/api/collections/{COLLECTION}/":
            return 200, {"id": COLLECTION, "title": "Feed", "can_read": True, "can_write": False}, {}
        if url.path != f"/api/collections/{COLLECTION}/objects/":
            return 404, {"title": "nothing here", "http_status": "404"}, {}
        after = query.get("added_after")
        with self.lock:
            fitting = [(d, o) for d, o in self.objects if after is None or stamp(d) >= after[:23] + "Z"]
        start = int(query.get("next", 0))
        page = fitting[start:start + 7]
        body = {"more": start + 7 < len(fitting)}
        if body["more"]:
            body["next"] = start + 7
        if not page:
            return 200, body, {}
        body["objects"] = [o for _, o in page]
        return 200, body, {"X-TAXII-Date-Added-First": stamp(page[0][0]), "X-TAXII-Date-Added-Last": stamp(page[-1][0])}


def stamp(us):
    return time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(us // 1000000)) + f"{us // 1000 % 1000:03d}Z"
