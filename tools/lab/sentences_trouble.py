"""Sentences about bad input and foreign hands: each bad thing has a name, and the answer that it must get."""
import json
import socket
import ssl
import subprocess
import threading
import time

from lab.client import MEDIA
from lab.process import Failure, free_port
from lab.story import sentence

# Named bad requests: (head lines after the request line that the member's own request would have, body). {auth} is the right
# credential; {path} the objects of its collection.
POST = "POST {path} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: {auth}\r\nAccept: {media}\r\n"
GET = "GET {path} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: {auth}\r\n"
TYPED = POST + "Content-Type: {media}\r\n"


def _sized(body):
    return TYPED + f"Content-Length: {len(body)}\r\n\r\n" + body


BAD = {
    "two content lengths": TYPED + "Content-Length: 14\r\nContent-Length: 15\r\n\r\n" + '{"objects":[]}',
    "a content length and a transfer encoding": TYPED + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunked look-alike": TYPED + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a content length with a sign": TYPED + "Content-Length: +14\r\n\r\n" + '{"objects":[]}',
    "two hosts": "GET {path} HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\nAuthorization: {auth}\r\nAccept: {media}\r\n\r\n",
    "no host": "GET {path} HTTP/1.1\r\nAuthorization: {auth}\r\nAccept: {media}\r\n\r\n",
    "a blank before a colon": GET + "Accept : {media}\r\n\r\n",
    "a folded header": GET + "Accept: {media}\r\n ;q=1\r\n\r\n",
    "a NUL in a header": GET + "Accept: {media}\0\r\n\r\n",
    "a bare line feed": GET.replace("\r\n", "\n") + "Accept: {media}\n\n",
    "a head over the limit": GET + "X-Long: " + "a" * 70000 + "\r\n\r\n",
    "a wrong password": "GET {path} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: Basic YmFuazp3cm9uZw==\r\nAccept: {media}\r\n\r\n",
    "no password": "GET {path} HTTP/1.1\r\nHost: hub.test\r\nAccept: {media}\r\n\r\n",
    "malformed JSON": _sized('{"objects": [{]}'),
    "JSON with a key twice": _sized('{"objects":[],"objects":[]}'),
    "JSON that is not UTF-8": _sized('{"objects":["\xff"]}'),
    "JSON nested ten thousand deep": _sized('{"objects":' + "[" * 10000 + "]" * 10000 + "}"),
    "an object of no known shape": _sized('{"objects":[17]}'),
    "an empty body": TYPED + "Content-Length: 0\r\n\r\n",
    "another media type": POST + "Content-Type: text/html\r\nContent-Length: 2\r\n\r\n{}",
    "an Accept that cannot be served": GET + "Accept: image/png\r\n\r\n",
    "a time that is none": GET.replace("{path}", "{path}?added_after=yesterday") + "Accept: {media}\r\n\r\n",
    "a limit of nothing": GET.replace("{path}", "{path}?limit=0") + "Accept: {media}\r\n\r\n",
    "a next that nobody gave": GET.replace("{path}", "{path}?next=abc") + "Accept: {media}\r\n\r\n",
    "an unknown collection": "GET {root}collections/nowhere/objects/ HTTP/1.1\r\nHost: hub.test\r\nAuthorization: {auth}\r\nAccept: {media}\r\n\r\n",
    "an unknown method": "BREW {path} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: {auth}\r\nAccept: {media}\r\n\r\n",
    "a method that is not served here": "PUT {path} HTTP/1.1\r\nHost: hub.test\r\nAuthorization: {auth}\r\nAccept: {media}\r\nContent-Length: 0\r\n\r\n",
}


def raw(account, request, timeout=20):
    """Sends bytes over TLS, and reads until the answer is complete or the connection closed."""
    with socket.create_connection((account.host, account.port), timeout) as plain:
        with account.tls().wrap_socket(plain, server_hostname=account.host) as s:
            try:
                s.sendall(request)
            except OSError:
                pass  # it may have closed on us in the middle; the answer was sent before
            data = b""
            try:
                while piece := s.recv(65536):
                    data += piece
                    head, found, body = data.partition(b"\r\n\r\n")
                    if found and _complete(head, body):
                        break
            except OSError:
                pass
            return data


def _complete(head, body):
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return body.endswith(b"0\r\n\r\n") if b"chunked" in head.lower() else False


def status_of(data):
    return int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/1.1 ") else 0


def filled(account, request):
    for word, value in (("{path}", account.objects_path()), ("{root}", account.root), ("{auth}", account.authorization()), ("{media}", MEDIA)):
        request = request.replace(word, value)
    return request.encode("latin-1")


@sentence("{name} sends {hub} a body over the limit and is answered {status:int}")
def too_large(story, name, hub, status):
    """A Content-Length over what the API root says; refused before the body is read."""
    account = story.member(name).account
    limit = account.json(account.root)["max_content_length"]
    data = raw(account, filled(account, TYPED + f"Content-Length: {limit + 1}\r\n\r\n"))
    if status_of(data) != status:
        raise Failure(f"status {status} before a byte of the body", f"{data[:300]!r}")


@sentence("{name} sends {hub} {what:any} and is answered {status:int}")
def answered(story, name, hub, what, status):
    """A named piece of bad input over TLS (tools/scenario --sentences lists them); the status is exactly that, and an error body
    that is sent tells it too."""
    account = story.member(name).account
    if what not in BAD:
        raise Failure("a known kind of bad input", f"{what}; known: {', '.join(BAD)}")
    data = raw(account, filled(account, BAD[what]))
    if status_of(data) != status:
        raise Failure(f"status {status}", f"{data[:400]!r}")
    head, _, body = data.partition(b"\r\n\r\n")
    if b"taxii+json" in head and b"chunked" not in head.lower() and body:
        told = json.loads(body).get("http_status")
        if told != str(status):
            raise Failure(f"an error body with http_status \"{status}\"", f"{body[:300]!r}")
    if status == 401 and b"www-authenticate" not in head.lower():
        raise Failure("WWW-Authenticate with 401", f"{head!r}")


@sentence("{name} sends {hub} a head one byte a second and is cut off within {limit:time}")
def slow_head(story, name, hub, limit):
    """The deadline is for the whole head: single bytes do not lengthen it. Others are served all the while."""
    account = story.member(name).account
    plain = socket.create_connection((account.host, account.port), 20)
    s = account.tls().wrap_socket(plain, server_hostname=account.host)
    s.settimeout(1)
    started, request = time.monotonic(), filled(account, GET + "X-Slow: " + "a" * 500)
    for byte in request:
        try:
            s.sendall(bytes([byte]))
            if not s.recv(4096):
                break
            break  # an answer (408) is an end too
        except socket.timeout:
            pass
        except OSError:
            break
        if time.monotonic() - started > limit * story.slow:
            raise Failure(f"cut off within {limit:g} s", "still open")
    s.close()
    account.json(account.root)


@sentence("{hub} is still there")
def still_there(story, hub):
    """The same process answers; nothing crashed in between."""
    who = story.hub(hub)
    if not who.program.running():
        raise Failure("running", f"exit status {who.program.popen.returncode}")
    who.status()
    died = who.program.log.find("hub_child_ended", who.program.started_at)
    if died:
        raise Failure("no part of it ended", f"{died}")


@sentence("a second program on {hub}'s port is refused with {word:text}")
def busy_port(story, hub, word):
    """Another hub that is told to listen on the same address does not start, and says which."""
    who = story.hub(hub)
    where = story.world.where / "second"
    story.world.run("init", where, "--name", "Second", "--listen", f"127.0.0.1:{who.port}")
    done = story.world.run("hub", where, status=(1, 3, 78), timeout=20)
    if word.lower() not in (done.stderr + done.stdout).lower():
        raise Failure(f'"{word}" in what it says', (done.stderr + done.stdout)[-600:])


# ---- certificates ----


def _client_file(story, name, new, **change):
    """The member's client file with some values replaced."""
    values = dict(story.member(name).account.values)
    values.update(change)
    path = story.world.where / new
    lines = []
    for key, value in values.items():
        if "\n" in value:
            lines.append(f"{key}: |\n" + "".join(f"  {line}\n" for line in value.splitlines()))
        else:
            lines.append(f"{key}: {json.dumps(value)}\n")
    path.write_text("".join(lines))
    path.chmod(0o600)
    return path


def _openssl(*argv):
    subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True)


def certificate(where, days):
    """A certificate authority and a certificate for 127.0.0.1 by it that ended `-days` ago (or lives on): ca, cert, key."""
    ca_key, ca, key, request, cert, more = (where / f"expired-{n}.pem" for n in ("ca-key", "ca", "key", "request", "cert", "ext"))
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", ca_key, "-out", ca,
             "-days", 365, "-subj", "/CN=test authority")
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=127.0.0.1")
    more.write_text("subjectAltName=IP:127.0.0.1\n")
    _openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", cert, "-extfile", more, "-days", days)
    return ca, cert, key


def tls_server(cert, key):
    """A TLS listener that shows a certificate and would answer 200 to anything: (port, stop)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(("127.0.0.1", free_port()))
    got = []

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as s:
                    got.append(s.recv(65536))
                    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/taxii+json;version=2.1\r\n\r\n{}")
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1], got, listener.close


@sentence("{name} meets an expired certificate, and sends no password")
def expired_certificate(story, name):
    """A server whose certificate ended yesterday, by an authority that the client trusts: the command ends with status 3 and speaks
    of the certificate; the server saw no request."""
    ca, cert, key = certificate(story.world.where, -1)
    port, got, stop = tls_server(cert, key)
    try:
        path = _client_file(story, name, "expired.yaml", url=f"https://127.0.0.1:{port}", ca=ca.read_text(), pin="")
        _refused(story, path)
        if any(got):
            raise Failure("no byte of a request", f"{got[:1]!r}")
    finally:
        stop()


@sentence("{name} meets {hub} in the place of its own hub, and sends no password")
def foreign_certificate(story, name, hub):
    """The member's client file points at another hub's address: its certificate is not the one expected."""
    other = story.hub(hub)
    own = story.member(name).account.values["url"]
    url = own.replace(str(story.member(name).hub.port), str(other.port))
    _refused(story, _client_file(story, name, "foreign.yaml", url=url))


def _refused(story, path):
    done = story.world.run("get", "--as", path, status=3)
    if "certificate" not in (done.stderr + done.stdout).lower():
        raise Failure("the word certificate in what it says", done.stderr[-400:])


@sentence("{name} meets a silent port, and the command ends within {limit:time}")
def silent_port(story, name, limit):
    """Something that accepts and says nothing: status 3 in time."""
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        story.world.run("get", "--as", _client_file(story, name, "silent.yaml", url=url), status=3, timeout=limit)


# ---- partners ----


@sentence("{one} loses {two}[ within {limit:time}]")
def loses(story, one, two, limit):
    """The link to a partner is down, and the log says so."""
    program = story.hub(one).program
    program.log.wait("link_down", story.within(limit, 10), story.since(program), partner=two)


@sentence("{one} follows {two} again[ within {limit:time}]")
def follows_again(story, one, two, limit):
    """The link to a partner is up again."""
    program = story.hub(one).program
    program.log.wait("link_up", story.within(limit, 15), story.since(program), partner=two)


@sentence("{one} got nothing back from {two}")
def no_echo(story, one, two):
    """In its whole log no commit from that partner carried an object."""
    time.sleep(0.5 * story.slow)
    came = [e for e in story.hub(one).program.log.all("link_committed") if e.get("partner") == two and e.get("objects")]
    if came:
        raise Failure("no objects from there", f"{came[0]}")
