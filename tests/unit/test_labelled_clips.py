"""A list of labelled clips is read whole or refused by line."""

from pathlib import Path

import pytest

from detection.labelled_clips import LabelsError, clips_in, read_labelled_clips


def _fault_of_label(label: str) -> str:
    return "" if label in {"theft", "normal"} else f"unknown label {label!r}"


def _list(folder: Path, *lines: str, header: str = "file,label,source") -> Path:
    for name in ("a.mp4", "b.mp4"):
        (folder / name).touch()
    (folder / "labels.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def test_the_columns_may_stand_in_any_order_and_say_more(tmp_path: Path) -> None:
    header = "source,file,label,began,ended,light"
    lines = ("s1,a.mp4,theft,2.5,9,night", "s2,b.mp4,normal,,,")
    first, second = read_labelled_clips(_list(tmp_path, *lines, header=header), _fault_of_label)
    assert (first.source, first.began, first.ended, first.light) == ("s1", 2.5, 9.0, "night")
    assert (second.label, second.began, second.ended, second.light) == ("normal", None, None, None)
    assert first.place == "labels.csv, line 2: a.mp4"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("b.mp4,brawl,s1,,,", "line 3: unknown label 'brawl'"),
        ("c.mp4,theft,s1,,,", "line 3: there is no clip 'c.mp4'"),
        ("b.mp4,theft,s1,soon,,", "line 3: began and ended are seconds"),
        ("b.mp4,theft,s1,nan,,", "line 3: began and ended are seconds"),
        ("b.mp4,theft,s1,5,4,", "line 3: the act ends before it began"),
        ("b.mp4,theft,s1,,,dusk", "line 3: light 'dusk', use day or night"),
        ("b.mp4,theft,s1", "line 3: expected a file, a label and a source"),
        ("b.mp4,theft,,,,", "line 3: expected a file, a label and a source"),
        ("a.mp4,theft,s1,,,", "line 3: 'a.mp4' is listed before"),
        ("../b.mp4,theft,s1,,,", "line 3: '../b.mp4' lies outside the folder"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, told: str) -> None:
    folder = _list(
        tmp_path, "a.mp4,theft,s1,,,", line, header="file,label,source,began,ended,light"
    )
    with pytest.raises(LabelsError) as caught:
        read_labelled_clips(folder, _fault_of_label)
    assert told in str(caught.value)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"line 2: .*; line 3: "):
        read_labelled_clips(_list(tmp_path, "a.mp4,x,s1", "c.mp4,theft,s1"), _fault_of_label)


@pytest.mark.parametrize("header", ["file,label", "file,label,source,colour", "clip,label,source"])
def test_other_columns_are_told(tmp_path: Path, header: str) -> None:
    with pytest.raises(LabelsError, match="line 1: the columns must be file,label,source"):
        read_labelled_clips(_list(tmp_path, header=header), _fault_of_label)


def test_a_list_without_clips_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="it lists no clips"):
        read_labelled_clips(_list(tmp_path), _fault_of_label)


def test_without_a_list_the_folders_are_the_labels(tmp_path: Path) -> None:
    for name in ("theft/z.mp4", "normal/n.avi"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (tmp_path / "theft" / "notes.txt").touch()
    found = read_labelled_clips(tmp_path, _fault_of_label)
    assert [(c.name, c.label, c.source) for c in found] == [
        ("normal/n.avi", "normal", "n"),
        ("theft/z.mp4", "theft", "z"),
    ]


def test_a_folder_of_no_label_and_one_without_clips_are_told(tmp_path: Path) -> None:
    (tmp_path / "brawl").mkdir()
    with pytest.raises(LabelsError, match="the folder 'brawl': unknown label 'brawl'"):
        read_labelled_clips(tmp_path, _fault_of_label)
    (tmp_path / "brawl").rename(tmp_path / "theft")
    with pytest.raises(LabelsError, match="theft has no clips"):
        read_labelled_clips(tmp_path, _fault_of_label)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="is no folder"):
        read_labelled_clips(tmp_path / "nowhere", _fault_of_label)
    with pytest.raises(LabelsError, match="is no folder"):
        clips_in(tmp_path / "nowhere", "normal")
