"""Greps everything that a cluster wrote for everything that it must keep to itself.

`assert_nothing_leaked(cluster)` is cheap enough for the end of each end-to-end test: logs,
database, broker, evidence, beat's schedules and command lines. What needs a running web process,
Flower or a listener of events is collected by `tests/e2e/faults/test_secrets.py` and handed in.
"""

import hashlib
import html
import json
import re
import sqlite3
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

import psycopg
import redis
from psycopg import sql

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster

WHOLE_PIXELS = 200_000  # bytes above which a value of the broker is a picture
LONGEST_FILE = 100_000_000  # bytes; what is longer only fills a disk
_BODY = re.compile(r'"body": ?"([\w+/=]+)"')


def assert_nothing_leaked(
    cluster: "Cluster", also: Mapping[str, bytes] | None = None, secrets: Iterable[str] = ()
) -> int:
    """Fail with place and surroundings of each find; returns how many bytes were searched."""
    needles = {
        form: secret
        for secret in {*secrets_of(cluster), *secrets}
        for form in forms_of(secret, users_of(cluster))
    }
    found, searched = [], 0
    for place, text in [*written_by(cluster), *(also or {}).items()]:
        searched += len(text)
        found += [f"{place}: {find}" for find in _finds(text, needles)]
    assert not found, f"{len(found)} leaks:\n" + "\n".join(found[:20])
    return searched


def secrets_of(cluster: "Cluster") -> set[str]:
    """Every password and key of this cluster: of its settings, its cameras and its addresses."""
    environment = cluster.environment
    known = {environment["SECRET_KEY"], *environment["CREDENTIALS_KEY"].split(",")}
    known |= {cluster.api_key, environment["MODEL_API_KEY"]}
    known |= {camera.password for camera in cluster.listed} | {c.password for c in cluster.cameras}
    known.add(environment.get("FLOWER_BASIC_AUTH", "").partition(":")[2])
    for name in ("DATABASE_URL", "REDIS_URL", "BACKEND_URL"):
        known.add(unquote(urlsplit(environment[name]).password or ""))
    return {secret for secret in known if len(secret) >= 8}


def users_of(cluster: "Cluster") -> set[str]:
    return {camera.user for camera in cluster.cameras} | {"admin"}


def forms_of(secret: str, users: Iterable[str] = ()) -> Iterator[str]:
    """The secret as text, in an address, in HTML and JSON, in a header, and as Tapo hashes it."""
    raw = secret.encode()
    yield from (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], html.escape(secret))
    for encoded in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield from (encoded, re.sub(r"%..", lambda hit: hit[0].lower(), encoded))
    for login in (raw, *(f"{user}:{secret}".encode() for user in users)):
        yield from (b64encode(login).decode(), urlsafe_b64encode(login).decode())
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, raw).hexdigest()
        yield from (digest, digest.upper())


def written_by(cluster: "Cluster") -> Iterator[tuple[str, bytes]]:
    """Place and content of all that can be read without asking the cluster's processes."""
    yield from _files(cluster.folder)
    if cluster.database_url.startswith("sqlite"):
        yield from _sqlite(Path(cluster.database_url.removeprefix("sqlite:///")))
    else:
        yield from _postgres(cluster.database_url)
    yield from in_broker(cluster.environment["REDIS_URL"])
    for child in cluster.processes.children():
        try:
            line = Path(f"/proc/{child.process.pid}/cmdline").read_bytes()
        except OSError:
            continue  # it has ended
        yield f"command line of {child.name}", line.replace(b"\0", b" ")


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Logs, evidence, schedules; clips and models, which the tests wrote, hold no text."""
    for path in sorted(folder.rglob("*")):
        text = path.suffix not in {".mp4", ".pt", ".bin", ".sqlite3", ".env"}
        if text and path.is_file() and path.stat().st_size < LONGEST_FILE:
            yield f"file {path.relative_to(folder)}", path.read_bytes()
            yield "a file's name", str(path.relative_to(folder)).encode()


def _sqlite(path: Path) -> Iterator[tuple[str, bytes]]:
    """The bytes, so that deleted rows count too, and the rows, which may lie across pages."""
    if not path.exists():
        return
    for file in (path, path.with_name(f"{path.name}-wal")):
        if file.exists():
            yield f"bytes of {file.name}", file.read_bytes()
    with sqlite3.connect(path, timeout=20) as base:
        tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            rows = base.execute(f'SELECT * FROM "{table}"').fetchall()
            yield f"table {table}", "\n".join(map(str, rows)).encode()


def _postgres(url: str) -> Iterator[tuple[str, bytes]]:
    try:
        connection = psycopg.connect(url, connect_timeout=3)
    except psycopg.OperationalError:
        return  # the test has taken it away
    with connection:
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        for (table,) in connection.execute(names).fetchall():
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
            rows = connection.execute(query).fetchall()
            yield f"table {table}", "\n".join(row[0] for row in rows).encode()


def in_broker(url: str) -> list[tuple[str, bytes]]:
    """Every key and value; messages also as their receivers read them. Nothing where it is gone."""
    found = []
    with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5) as broker:
        try:
            for key in broker.scan_iter(count=1000):
                content = b"\n".join(_value_of(broker, key))
                text = key + b"\n" + content + decoded_bodies(content)
                found.append((f"broker key {key!r}", text))
        except redis.RedisError:
            return []  # the test has taken it away
    return found


def decoded_bodies(content: bytes) -> bytes:
    """Celery sends a task's arguments as base64."""
    found = []
    for body in _BODY.findall(content.decode(errors="replace")):
        try:
            found.append(b64decode(body))
        except NotBase64:
            continue
    return b"\n" + b"\n".join(found)


def _value_of(broker: Any, key: bytes) -> list[bytes]:
    match broker.type(key):
        case b"string":
            return [] if broker.strlen(key) > WHOLE_PIXELS else [broker.get(key) or b""]
        case b"list":
            return list(broker.lrange(key, 0, -1))
        case b"set":
            return list(broker.smembers(key))
        case b"zset":
            return list(broker.zrange(key, 0, -1))
        case b"hash":
            pairs = broker.hgetall(key).items()
            return [part for pair in pairs for part in pair if len(part) <= WHOLE_PIXELS]
        case b"stream":
            return [str(entry).encode() for entry in broker.xrange(key)]
    return []


def _finds(text: bytes, needles: Mapping[str, str]) -> Iterator[str]:
    for form, secret in needles.items():
        start = text.find(form.encode())
        if start >= 0:
            around = text[max(0, start - 80) : start + len(form) + 40]
            yield f"{secret!r} as {form!r} in …{around.decode(errors='replace')}…"
