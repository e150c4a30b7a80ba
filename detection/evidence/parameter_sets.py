"""H.264 as cameras send it (Annex B, with start codes), whatever it was packed in.

ITU-T H.264, annex B and 7.3; the packing of MP4 files is ISO/IEC 14496-15, 5.3.3.
"""

from collections.abc import Iterator

from detection.domain.packets import Coding

_START = b"\x00\x00\x00\x01"
_SEQUENCE, _PICTURE = 7, 8  # kinds of parameter sets
# What browsers play: baseline, main, extended and high, with 8 bits and 4:2:0.
_PLAYABLE_PROFILES = {66, 77, 88, 100}


def is_packed(extradata: bytes) -> bool:
    """Whether pictures come with lengths in front of their units, as in MP4 files."""
    return extradata[:1] == b"\x01"


def parameter_sets(extradata: bytes) -> bytes:
    """What a decoder must know first, with start codes."""
    if not is_packed(extradata):
        return extradata
    sets, place = b"", 5
    for mask in (0x1F, 0xFF):
        many, place = extradata[place] & mask, place + 1
        for _ in range(many):
            size = int.from_bytes(extradata[place : place + 2], "big")
            sets += _START + extradata[place + 2 : place + 2 + size]
            place += 2 + size
    return sets


def unpacked(picture: bytes, extradata: bytes) -> bytes:
    """The picture with start codes in place of lengths."""
    if not is_packed(extradata):
        return picture
    width, place, out = (extradata[4] & 3) + 1, 0, []
    while place + width <= len(picture):
        size = int.from_bytes(picture[place : place + width], "big")
        out += [_START, picture[place + width : place + width + size]]
        place += width + size
    return b"".join(out)


def plays_in_browsers(coding: Coding) -> bool:
    """Whether pictures of this kind are shown as they come; a profile that is not told is."""
    profile = profile_of(parameter_sets(coding.extradata)) if coding.codec == "h264" else None
    return coding.codec == "h264" and (profile is None or profile in _PLAYABLE_PROFILES)


def with_parameter_sets(picture: bytes, sets: bytes) -> bytes:
    """A key frame that can be shown without knowing anything before it."""
    first = next((unit for unit in units(picture) if unit[0] & 0x1F != 9), b"\0")  # 9: delimiter
    return picture if first[0] & 0x1F == _SEQUENCE else sets + picture


def profile_of(sets: bytes) -> int | None:
    """The profile that the first sequence parameter set names."""
    for unit in units(sets):
        if unit[0] & 0x1F == _SEQUENCE and len(unit) > 1:
            return unit[1]
    return None


def units(stream: bytes) -> Iterator[bytes]:
    """The first bytes of each unit behind a start code: enough to tell what it is."""
    place = stream.find(b"\x00\x00\x01")
    while place >= 0:
        if unit := stream[place + 3 : place + 7]:
            yield unit
        if unit and unit[0] & 0x1F in (1, 5):
            return  # the picture itself: nothing comes behind it that is asked for
        place = stream.find(b"\x00\x00\x01", place + 3)
