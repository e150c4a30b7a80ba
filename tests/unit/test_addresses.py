"""Stream addresses come from back ends; a decoder would open anything they name."""

from pathlib import Path

import pytest

from detection.ports import SourceError
from detection.sources.addresses import (
    check_address,
    path_of,
    scheme_of,
)


def refusal(url: str, *, allow_files: bool = False) -> SourceError:
    with pytest.raises(SourceError) as caught:
        check_address(url, allow_files=allow_files)
    assert caught.value.reason == "bad_address"
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://192.168.1.64:554/stream1",
        "rtsp://admin:p%40ss@192.168.1.64/stream1",
        "RTSP://camera.local/stream1",
        "rtsps://camera.local:322/stream1",
        "rtsp://[fe80::1]:554/stream1",
        "http://camera.local/video.mjpg?user=a",
        "https://camera.local/live.m3u8",
    ],
)
def test_addresses_of_cameras_are_allowed(url: str) -> None:
    check_address(url, allow_files=False)
    check_address(url, allow_files=True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://camera.local/a.mp4",
        "concat:/etc/passwd|/etc/shadow",
        "data:video/mp4;base64,AAAA",
        "gopher://camera.local",
        "tcp://camera.local:80",
        "subfile:/etc/passwd",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("allow_files", [False, True])
def test_what_is_no_camera_stream_is_refused(url: str, allow_files: bool) -> None:
    message = str(refusal(url, allow_files=allow_files))
    assert message.endswith("is no camera stream; use rtsp://, http:// or https://")


@pytest.mark.parametrize("url", ["rtsp://", "rtsp:///stream1", "http://:80/", "rtsp:camera/1"])
def test_an_address_without_a_host_is_refused(url: str) -> None:
    assert str(refusal(url)) == "the stream address names no host: correct it"


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "/etc/passwd", "clip.mp4", "", "FILE:///etc/passwd", "C:\\a.mp4"]
)
def test_files_are_no_cameras_unless_they_are_allowed(url: str) -> None:
    assert "ALLOW_FILE_SOURCES" in str(refusal(url))


def test_an_address_with_odd_separators_is_taken_for_a_file_and_refused() -> None:
    assert "ALLOW_FILE_SOURCES" in str(refusal("subfile,,start,0,end,9,,:/etc/passwd"))


def test_files_may_be_allowed(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    check_address(str(clip), allow_files=True)
    check_address(f"file://{clip}", allow_files=True)


def test_a_file_address_as_pathlib_writes_it_is_found(tmp_path: Path) -> None:
    clip = tmp_path / "front door ä.mp4"
    clip.touch()
    check_address(clip.as_uri(), allow_files=True)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "clip.mp4"
    assert str(refusal(str(missing), allow_files=True)) == f"there is no file {missing}"
    assert str(refusal(f"file://{missing}", allow_files=True)) == f"there is no file {missing}"


def test_a_folder_is_no_clip(tmp_path: Path) -> None:
    assert "there is no file" in str(refusal(str(tmp_path), allow_files=True))


@pytest.mark.parametrize(
    "url", ["rtsp://admin:pa[ss@192.168.1.64/stream1", "rtsp://admin:p[as]s@192.168.1.64/stream1"]
)
def test_brackets_in_a_password_are_no_trouble(url: str) -> None:
    check_address(url, allow_files=False)


def test_a_broken_ipv6_address_is_refused() -> None:
    assert refusal("rtsp://[fe80::1/stream1").reason == "bad_address"


def test_no_refusal_says_a_password() -> None:
    for url in ("ftp://admin:hunter22@camera.local/a", "rtsp://admin:hunter22@/a"):
        assert "hunter22" not in str(refusal(url))


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("rtsp://camera/1", "rtsp"),
        ("RTSP://camera/1", "rtsp"),
        ("file:///clips/a.mp4", "file"),
        ("/clips/a.mp4", "file"),
        ("a.mp4", "file"),
        ("c:/clips/a.mp4", "file"),
    ],
)
def test_schemes_are_told_apart(url: str, scheme: str) -> None:
    assert scheme_of(url) == scheme


def test_paths_are_taken_from_file_addresses() -> None:
    assert path_of("file:///clips/a.mp4") == "/clips/a.mp4"
    assert path_of("/clips/a#b?.mp4") == "/clips/a#b?.mp4"
