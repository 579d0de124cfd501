"""Objects and telemetry that the actors write: STIX indicators as bytes, Suricata EVE lines."""
import json
import random
import time
import uuid

from lab.world import now_text

TLP = {
    "TLP:CLEAR": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "TLP:GREEN": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "TLP:AMBER": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "TLP:AMBER+STRICT": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "TLP:RED": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}


def indicator(pattern, marking=None, new_id=None, created=None, modified=None, name=None, valid_until=None, revoked=False, odd=True):
    """One indicator as bytes. `odd`: with what a careless reader of JSON loses: an integer above 2^53, 1.50, null, spaces."""
    created = created or now_text(-1, 6)
    rows = [
        ('"type": "indicator"'), ('"spec_version": "2.1"'),
        f'"id": "{new_id or "indicator--" + str(uuid.uuid4())}"',
        f'"created": "{created}"', f'"modified": "{modified or created}"',
        f'"pattern": {json.dumps(pattern)}', '"pattern_type": "stix"', f'"valid_from": "{created}"',
    ]
    if name:
        rows.append(f'"name": {json.dumps(name, ensure_ascii=False)}')
    if marking:
        rows.append(f'"object_marking_refs": ["{TLP[marking]}"]')
    if valid_until:
        rows.append(f'"valid_until": "{valid_until}"')
    if revoked:
        rows.append('"revoked": true')
    if odd:
        rows += ['"x_case" : 9007199254740993', '"x_ratio":1.50', '"x_note": null', '"x_word": "caf\\u00e9 é"']
    return ("{" + ", ".join(rows) + "}").encode()


def identity(label):
    """An organisation as a submitter describes itself, with one label."""
    made = "identity--" + str(uuid.uuid4())
    return json.dumps({"type": "identity", "spec_version": "2.1", "id": made, "created": now_text(-1, 6), "modified": now_text(-1, 6),
                       "created_by_ref": made, "name": "Quayside Power", "identity_class": "organization", "sectors": ["energy"],
                       "labels": [label], "object_marking_refs": [TLP["TLP:GREEN"]]}).encode()


def version(text, **change):
    """A later version of an indicator that `indicator()` wrote."""
    old = json.loads(text)
    kept = {"marking": None, "name": old.get("name")}
    for marking, marking_id in TLP.items():
        if marking_id in old.get("object_marking_refs", ()):
            kept["marking"] = marking
    kept.update(change)
    return indicator(kept.pop("pattern", old["pattern"]), new_id=old["id"], created=old["created"], modified=now_text(0, 6), **kept)


_flow = random.Random()


def eve(what, at=None):
    """`dns bad.example`, `flow 192.0.2.7`, `tls bad.example`, `http http://bad.example/path`, `file SHA256` as one EVE line."""
    kind, value = what.split(" ", 1)
    at = time.time() if at is None else at
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06d}+0000"
    line = {"timestamp": stamp, "flow_id": _flow.getrandbits(50), "in_iface": "eth0", "event_type": kind, "src_ip": "10.1.2.3",
            "src_port": _flow.randrange(32768, 61000), "dest_ip": "10.1.0.53", "dest_port": 53, "proto": "UDP"}
    if kind == "dns":
        line["dns"] = {"type": "query", "id": _flow.getrandbits(16), "rrname": value, "rrtype": "A", "tx_id": 0}
    elif kind == "flow":
        line |= {"dest_ip": value, "dest_port": 443, "proto": "TCP",
                 "flow": {"pkts_toserver": 6, "pkts_toclient": 4, "bytes_toserver": 812, "bytes_toclient": 560, "state": "established"}}
    elif kind == "tls":
        line |= {"dest_port": 443, "proto": "TCP", "tls": {"sni": value, "version": "TLS 1.3"}}
    elif kind == "http":
        host, _, path = value.split("://", 1)[1].partition("/")
        line |= {"dest_port": 80, "proto": "TCP", "http": {"hostname": host, "url": "/" + path, "http_method": "GET", "status": 200}}
    elif kind == "file":
        line |= {"event_type": "fileinfo", "fileinfo": {"filename": "/invoice.pdf", "state": "CLOSED", "sha256": value, "size": 4096}}
    else:
        raise ValueError(f"telemetry of kind {kind}")
    return json.dumps(line, separators=(",", ":"))
