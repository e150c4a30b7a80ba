"""A result that cannot be written spoils nothing that was there."""

import os
from pathlib import Path
from threading import Thread

import pytest

from detection.whole_file import write_json


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text("old")
    write_json(out, {"reason": "Räuber"})
    assert out.read_text(encoding="utf-8") == '{\n  "reason": "Räuber"\n}\n'
    assert list(tmp_path.iterdir()) == [out]


def test_where_the_disk_is_full_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    out.write_text("old")

    def full(path: Path, text: str, encoding: str) -> None:
        path.write_bytes(text.encode()[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_json(out, {"confirmed": 1})
    assert out.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [out]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_json(pipe, [])
    reader.join(5)
    assert read == ["[]\n"]
    assert pipe.is_fifo()


def test_what_a_link_leads_to_is_written_and_the_link_stays(tmp_path: Path) -> None:
    link, out = tmp_path / "stdout", tmp_path / "out.json"
    link.symlink_to(out)
    write_json(link, [])
    assert (link.is_symlink(), out.read_text()) == (True, "[]\n")
