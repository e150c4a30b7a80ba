"""Nothing secret gets out: provoke every error text there is, then grep all that was written."""

import io
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
import requests

from simulators.demo.processes import answers, free_port
from simulators.scene import RESTRICTED_ZONE
from simulators.tapo import SimulatedTapo
from tests.conftest import REPOSITORY
from tests.e2e.cluster import CELERY, Cluster
from tests.e2e.secrets import assert_nothing_leaked, decoded_bodies
from tests.e2e.unforeseen import BROKER_AWAY, DATABASE_AWAY
from tests.services import Broker, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

GOOD, WRONG, DEAF = "Gôod/p@ss w?rd&#%41+1", "wr%2Fng p@ss:word'\"<7>", "deaf\\camera/pass=1"
BROKER_PASSWORD = "brok€r/p@ss w?rd%41"
FLOWER_PASSWORD = "flower-p@ss/word<3>"
OFFICER_PASSWORD = "a-passphrase-of-the-officer"
TYPED = "rtsp://typed-user:typed-p@ssword/x@10.0.0.9/1"
ELSEWHERE = "secret-of-the-redirect"
BROKEN_DATABASE = "pa/ss#broken-database"
ABSENT_DATABASE = "absent-database-p@ss"
BROKEN_BROKER = "broken-broker-p@ss/1"
OTHERS = (
    BROKER_PASSWORD,
    FLOWER_PASSWORD,
    OFFICER_PASSWORD,
    TYPED,
    "typed-p@ssword",
    ELSEWHERE,
    BROKEN_DATABASE,
    ABSENT_DATABASE,
    BROKEN_BROKER,
)


TURNED_AWAY = (
    "django.core.exceptions.DisallowedHost",
    "django.contrib.admin.exceptions.DisallowedModelAdminLookup",
)


@contextmanager
def overheard(url: str) -> Iterator[list[bytes]]:
    """Everything that is published on the broker: task events, remote control and its answers."""
    heard: list[bytes] = []
    with redis.Redis.from_url(url) as client, client.pubsub() as ears:
        ears.psubscribe("*")
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                message = ears.get_message(timeout=0.2)
                if message and isinstance(message["data"], bytes):
                    heard.append(message["data"] + decoded_bodies(message["data"]))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield heard
        finally:
            stop.set()
            thread.join()


def test_nothing_secret_is_written_whatever_goes_wrong(
    tmp_path: Path, broker: Broker, model_dir: Path, scene: Path
) -> None:
    began = time.monotonic()
    with redis.Redis.from_url(broker.url) as client:
        client.config_set("requirepass", BROKER_PASSWORD)
    broker_url = broker.url.replace("//", f"//:{quote(BROKER_PASSWORD, safe='')}@")
    cameras = [
        SimulatedTapo(user="operator", password=password, clip=scene, name=name)
        for name, password in (("good", GOOD), ("wrong", WRONG), ("deaf", DEAF))
    ]
    good, wrong, deaf = cameras
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with (
        Cluster(tmp_path, broker_url, sqlite, model_dir, cameras) as cluster,
        overheard(broker_url) as heard,
    ):
        cluster.foreseen = (*BROKER_AWAY, *DATABASE_AWAY, *TURNED_AWAY)
        cluster.settings |= {
            "LOG_LEVEL": "DEBUG",
            "TAPO_CONTROL_PORT": str(good.control_port),
            "FLOWER_BASIC_AUTH": f"crimeops:{FLOWER_PASSWORD}",
            "FLOWER_PORT": str(free_port()),
            "RETRY_AFTER": "3",
        }
        cluster.list_cameras(zones={1: RESTRICTED_ZONE})
        wrong.change_password("another one")
        deaf.refuse_rtsp()
        good.refuse_control()
        for path in ("/alert", "/heartbeat", "/api/camera/alarm"):
            cluster.backend.fault("echo:422", path)
        cluster.backend.fault("echo:500", "/crime")
        cluster.start()
        flower = cluster.processes.start("flower", [*CELERY, "flower"], cluster.environment)
        site = start_site(cluster, "web")
        break_addresses(cluster)

        cluster.wait_for_state(1, "running", seconds=60)
        cluster.wait_for_state(2, "error", "auth_failed")
        cluster.wait_for_state(3, "error", "refused")
        refused = "SELECT * FROM integrations_delivery WHERE status = 'refused'"
        wait_until(lambda: cluster.rows(refused), "the back end echoes what it refuses", 30)
        echoed = cluster.rows(refused)[0]["last_error"]
        assert "Exception in /api/model/alert" in echoed and "•••" in echoed
        siren = "SELECT * FROM integrations_siren WHERE last_error LIKE %s"
        said = "%/api/camera/alarm answered 422: Exception%"
        wait_until(lambda: cluster.rows(siren, said), "the siren's error is echoed", 30)

        cluster.backend.fault("html", "/cameras", 2)
        cluster.backend.fault(f"redirect:http://u:{ELSEWHERE}@127.0.0.2/x", "/cameras")
        wait_until(lambda: "is redirected (307)" in cluster.everything_written(), "redirect", 20)
        assert "but not as the contract says" in cluster.everything_written()

        port = int(cluster.settings["FLOWER_PORT"])
        wait_until(lambda: answers(port), "Flower listens", 30)
        pages = {**pages_of_admin(cluster, site), **pages_of_flower(port)}
        pages |= {"error page without a database": page_without_database(cluster)}
        assert len(heard) > 100
        pages["events of the broker"] = b"\n".join(heard)
        assert flower.process.poll() is None
        searched = assert_nothing_leaked(cluster, pages, OTHERS)
    took = time.monotonic() - began
    print(f"searched {searched / 1e6:.1f} MB in {len(pages)} pages and all files: {took:.0f} s")


def start_site(cluster: Cluster, name: str, **settings: str) -> str:
    """The admin as it is served, with an officer who may see all."""
    port = free_port()
    bind = ["--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", "crimeops.wsgi", *bind]
    cluster.processes.start(name, command, cluster.environment | settings)
    wait_until(lambda: answers(port), f"{name} listens", 30)
    return f"http://127.0.0.1:{port}"


def break_addresses(cluster: Cluster) -> None:
    """What an operator mistypes: told to the terminal, without what was typed."""
    broken: dict[str, tuple[dict[str, str], list[str]]] = {
        "database": (
            {"DATABASE_URL": f"postgres://crimeops:{BROKEN_DATABASE}@127.0.0.1/x"},
            [sys.executable, str(REPOSITORY / "manage.py"), "check"],
        ),
        "absent": (
            {
                "DATABASE_URL": "postgres://crimeops:"
                f"{quote(ABSENT_DATABASE, safe='')}@127.0.0.1:1/x"
            },
            [sys.executable, str(REPOSITORY / "manage.py"), "migrate"],
        ),
        "broker": (
            {"REDIS_URL": f"redis://:{quote(BROKEN_BROKER, safe='')}@127.0.0.1:{1}/0"},
            [*CELERY, "inspect", "ping", "--timeout", "1"],
        ),
    }
    for name, (settings, command) in broken.items():
        result = subprocess.run(
            command,
            env=cluster.environment | settings,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert result.returncode != 0, name
        log = cluster.folder / "logs" / f"broken-{name}.log"
        log.write_bytes(result.stdout + result.stderr)
    said = (cluster.folder / "logs" / "broken-database.log").read_text()
    assert "DATABASE_URL: " in said and "cannot be read" in said


def pages_of_admin(cluster: Cluster, site: str) -> dict[str, bytes]:
    """Each list, each row's pages, what a wrong form says, and the error pages."""
    code = (
        "from django.contrib.auth.models import User; "
        f"User.objects.create_superuser('boss', password={OFFICER_PASSWORD!r})"
    )
    cluster.manage("shell", "--no-imports", "-c", code)
    browser = requests.Session()
    pages: dict[str, bytes] = {}

    def fetch(path: str, status: int = 200, data: dict[str, str] | None = None) -> str:
        if data:
            data["csrfmiddlewaretoken"] = browser.cookies.get("csrftoken") or ""
        answer = browser.request("POST" if data else "GET", site + path, data=data, timeout=20)
        assert answer.status_code == status, (path, answer.status_code)
        pages[f"{'POST' if data else 'GET'} {path}"] = answer.content
        return answer.text

    fetch("/admin/login/")
    fetch("/admin/login/", data={"username": "boss", "password": "wrong-passphrase"})
    login = {"username": "boss", "password": OFFICER_PASSWORD, "next": "/admin/"}
    fetch("/admin/login/", data=login)
    index = fetch("/admin/")
    lists = set(re.findall(r'href="(/admin/\w+/\w+/)"', index))
    assert len(lists) >= 8
    for path in sorted(lists):
        rows = set(re.findall(rf'href="({path}[\w-]+/)change/', fetch(path)))
        for row in sorted(rows)[:4]:
            fetch(f"{row}change/")
            fetch(f"{row}history/")
    assert sum("/change/" in page for page in pages) >= 10
    for path in desk_pages(pages):
        fetch(path)
    for path, content in [*pages.items()]:
        if path.endswith("/bundle/"):
            pages |= {f"{path} {name}": part for name, part in unpacked(content).items()}
    probed = {"url": TYPED.replace("10.0.0.9", "127.0.0.1:1"), "username": "typed-user"}
    fetch("/admin/detection/camera/probe/", data=probed | {"password": "typed-p@ssword"})
    wrong = {"name": "", "new_stream_url": f"x{TYPED}", "new_password": "typed-p@ssword"}
    fetch("/admin/detection/camera/add/", data=wrong)
    fetch("/admin/detection/camera/live/?ids=1,2,3")
    fetch("/nothing-here", 404)
    fetch(f"/admin/nothing-here?password={quote(TYPED)}", 404)
    fetch("/admin/detection/camera/?password__startswith=g", 400)
    browser.cookies.clear()
    fetch("/admin/login/", 403, login)
    stranger = requests.get(f"{site}/admin/", headers={"Host": "evil.example"}, timeout=20)
    assert stranger.status_code == 400
    return pages | {"GET with a foreign host": stranger.content}


def desk_pages(pages: Mapping[str, bytes]) -> list[str]:
    """The pages of the desk that no list leads to."""
    fixed = ["wall/", "wall/states/", "preferences/"]
    fixed += [f"detection/episode/{name}/" for name in ("news", "figures")]
    ways = {"camera": ("course", "zones", "zones/export"), "episode": ("state", "bundle")}
    found = [f"/admin/{path}" for path in fixed]
    for model, each in ways.items():
        opened = re.compile(rf"GET (/admin/detection/{model}/[\w-]+/)change/")
        rows = [match[1] for match in map(opened.fullmatch, pages) if match]
        assert rows, f"no page of a {model} was opened"
        found += [f"{row}{way}/" for row in rows for way in each]
    return found


def unpacked(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def page_without_database(cluster: Cluster) -> bytes:
    """The plain page of an admin whose database is gone."""
    url = f"postgres://crimeops:{quote(ABSENT_DATABASE, safe='')}@127.0.0.1:1/x"
    site = start_site(cluster, "web-without-database", DATABASE_URL=url)
    sent = {"sessionid": "0" * 32}
    answer = requests.get(f"{site}/admin/", cookies=sent, timeout=30)
    assert answer.status_code == 500
    assert b"Traceback" not in answer.content
    return answer.content


def pages_of_flower(port: int) -> dict[str, bytes]:
    site, login = f"http://127.0.0.1:{port}/flower", ("crimeops", FLOWER_PASSWORD)

    def fetch(path: str) -> bytes:
        answer = requests.get(site + path, auth=login, timeout=20)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content

    # Flower asks its workers only when it is told to.
    wait_until(lambda: b"streams" in fetch("/api/workers?refresh=1"), "Flower knows workers", 20)
    workers = requests.get(f"{site}/api/workers", auth=login, timeout=20).json()
    pages = ["/", "/tasks", "/broker", "/metrics", "/api/workers", "/api/tasks"]
    pages += [f"/worker/{quote(name)}" for name in workers]
    tasks = requests.get(f"{site}/api/tasks", auth=login, timeout=20).json()
    assert tasks
    pages += [f"/task/{key}" for key in list(tasks)[:20]]
    return {f"Flower {path}": fetch(path) for path in pages}
