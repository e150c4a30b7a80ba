"""In which networks a camera may be: names are resolved, in whatever way they are written."""

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Thread
from typing import Any

import pytest

from detection.ports import SourceError, SourceOptions
from detection.sources.addresses import check_network, host_of
from detection.sources.pyav import PyAvSource


@pytest.mark.parametrize("host", ["10.1.2.3", "192.168.0.7", "8.8.8.8", "127.0.0.2", "[fd00::7]"])
def test_without_networks_a_camera_may_be_anywhere(host: str) -> None:
    check_network(host, [])


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1%eth0]",
        "::ffff:169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "2852039166",  # 169.254.169.254 as one number
        "0xa9.0xfe.0xa9.0xfe",
    ],
)
def test_where_clouds_serve_their_credentials_there_is_no_camera(host: str) -> None:
    with pytest.raises(SourceError, match="is no address of a camera"):
        check_network(host, [])


def test_with_networks_a_camera_must_be_in_one_of_them() -> None:
    networks = [ip_network("10.1.0.0/16"), ip_network("169.254.7.0/24"), ip_network("fd00::/8")]
    for inside in ("10.1.2.3", "169.254.7.9", "fd00::9"):
        check_network(inside, networks)
    for outside in ("10.2.0.1", "127.0.0.1", "169.254.169.254", "fe80::1"):
        with pytest.raises(SourceError, match="lies outside of CAMERA_NETWORKS"):
            check_network(outside, networks)


def test_a_name_is_judged_by_every_address_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, *_: Any, **__: Any) -> list[Any]:
        assert name == "camera.example"
        return [(0, 0, 0, "", (address, 0)) for address in ("10.1.2.3", "169.254.169.254")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(SourceError, match=r"169\.254\.169\.254 is no address"):
        check_network("camera.example", [])


@pytest.mark.parametrize("host", ["", "evil.example/path", "a@b", "host?x", "a b", "h#1"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(SourceError, match="is no host"):
        check_network(host, [])


def test_the_host_of_an_address_is_found_behind_any_password() -> None:
    assert host_of("rtsp://a:p@ss[w@10.0.0.1:554/1") == "10.0.0.1"
    assert host_of("/clips/a.mp4") == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://{host}/latest/meta-data?@10.0.0.1",
        "http://{host}?@10.0.0.1/video",
        "http://{host}#@10.0.0.1/video",
        "http://{host}/video@10.0.0.1/",
        "http://10.0.0.1\\@{host}/video",
        "http://a@10.0.0.1@{host}/video",
    ],
)
def test_the_host_that_is_judged_is_the_one_that_ffmpeg_asks(url: str) -> None:
    asked: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            """Not in the tests' output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as service:
        Thread(target=service.serve_forever, daemon=True).start()
        address = url.format(host=f"127.0.0.1:{service.server_port}")
        options = SourceOptions(url=address, open_timeout_seconds=5, read_timeout_seconds=5)
        with pytest.raises(SourceError):
            next(PyAvSource(options).pictures())
        service.shutdown()
    assert asked, "FFmpeg went somewhere else"
    assert host_of(address) == "127.0.0.1"
