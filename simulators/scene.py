"""A demo must show a crime without a camera, a download or a film of real people being watched.

So the clip is rendered: a drawn yard with a marked area, and two figures cut out of the photograph
that ships with Ultralytics, which the real network takes for people. It starts and ends empty and
can be looped. Everything is drawn for 640x360; the story below is what the tests hold it to.
"""

import importlib.util
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Polygon = list[tuple[float, float]]
Pixels = NDArray[np.uint8]

WIDTH: Final = 640
HEIGHT: Final = 360
HORIZON: Final = 110  # where the yard's lines meet, straight ahead
WALL_FOOT: Final = 204
KERB: Final = 236
HEIGHT_PER_DEPTH: Final = 0.95  # a person's height to the distance of the feet below the horizon

ZONE_CORNERS: Final = np.array([(338, 252), (545, 252), (610, 338), (292, 338)], np.float32)
RESTRICTED_ZONE: Final[Polygon] = [(float(x) / WIDTH, float(y) / HEIGHT) for x, y in ZONE_CORNERS]
"""The hatched area of the yard, in normalised picture coordinates."""

STORY: Final[dict[str, float]] = {
    "enters_picture": 4.0,
    "wholly_visible_from": 5.5,
    "enters_zone": 9.0,
    "leaves_zone": 22.0,
    "wholly_visible_until": 26.5,
    "leaves_picture": 28.0,
    "second_enters_picture": 29.0,
    "second_leaves_picture": 36.0,
    "ends": 40.0,
}
"""When what happens, in seconds from the start. The second person never enters the zone."""

# (seconds, x of the feet); between two entries the figure walks evenly, or stands.
INTRUDER_WALK: Final = (
    (4.0, -55), (9.0, 312), (10.8, 445), (13.6, 445), (14.6, 492), (17.2, 492), (18.2, 440),
    (20.2, 440), (22.0, 308), (27.6, -60),
)  # fmt: skip
INTRUDER_FEET: Final = 300
PASSER_BY_WALK: Final = ((29.0, -40), (36.0, 680))
PASSER_BY_FEET: Final = 227
STEPS_PER_SECOND: Final = 1.7

# Outlines in the photograph's pixels, followed by hand.
INTRUDER_OUTLINE: Final = (
    (104, 444), (103, 418), (108, 408), (118, 402), (128, 399), (140, 399), (152, 402), (158, 409),
    (159, 420), (157, 432), (153, 448), (150, 460), (152, 467), (160, 471), (168, 482), (175, 498),
    (182, 511), (187, 530), (193, 543), (199, 553), (200, 570), (198, 583), (192, 590), (180, 599),
    (185, 616), (190, 640), (192, 660), (193, 690), (182, 692), (178, 690), (180, 705), (184, 730),
    (186, 757), (190, 790), (197, 820), (200, 848), (206, 858), (218, 868), (232, 876), (243, 879),
    (240, 885), (225, 890), (205, 896), (180, 898), (176, 897), (176, 880), (178, 866), (176, 856),
    (170, 838), (160, 805), (150, 770), (140, 738), (132, 712), (128, 702), (122, 702), (118, 722),
    (114, 740), (104, 765), (98, 782), (92, 800), (88, 830), (85, 850), (86, 858), (92, 872),
    (100, 882), (106, 892), (104, 898), (92, 899), (76, 893), (62, 888), (53, 882), (55, 868),
    (60, 856), (62, 848), (62, 835), (64, 815), (72, 800), (78, 785), (77, 765), (74, 745),
    (74, 720), (73, 700), (60, 698), (60, 660), (63, 620), (63, 590), (59, 560), (64, 540),
    (62, 520), (63, 500), (70, 488), (85, 478), (98, 466), (97, 455),
)  # fmt: skip
PASSER_BY_OUTLINE: Final = (
    (262, 428), (263, 418), (268, 412), (278, 408), (290, 408), (300, 413), (305, 422), (307, 437),
    (306, 450), (303, 463), (299, 475), (303, 478), (318, 484), (328, 489), (334, 500), (337, 515),
    (340, 530), (344, 542), (344, 555), (338, 562), (328, 566), (322, 567), (326, 590), (330, 615),
    (333, 640), (336, 660), (339, 687), (340, 705), (338, 722), (330, 735), (318, 746), (305, 758),
    (292, 770), (284, 780), (284, 788), (288, 790), (287, 797), (294, 805), (299, 813), (297, 819),
    (288, 818), (281, 808), (279, 812), (278, 822), (281, 832), (287, 843), (292, 851), (292, 857),
    (282, 858), (268, 856), (258, 850), (256, 838), (257, 822), (254, 800), (248, 780), (246, 755),
    (244, 730), (243, 705), (225, 698), (230, 670), (233, 645), (238, 620), (241, 600), (237, 580),
    (236, 560), (237, 540), (236, 520), (238, 505), (246, 494), (256, 487), (272, 479), (274, 475),
    (270, 462), (264, 455), (262, 443),
)  # fmt: skip
HIP_SHARE: Final = 0.60  # of a figure's height from the top: below it are legs


@dataclass(frozen=True, slots=True)
class Figure:
    """A cut-out person: BGR pixels and opacity 0..1, both cropped to the outline."""

    pixels: NDArray[np.float32]
    opacity: NDArray[np.float32]


def render_scene(
    destination: Path,
    seconds: float = 40,
    fps: int = 15,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write the clip as H.264 (a key frame each second, no B-frames) to `destination`.

    `size` is width, height, both even. Fewer `seconds` cut the story short. `progress` is told the
    share 0..1 that is done. The file appears whole or not at all. Raises FileNotFoundError where
    Ultralytics, and with it the photograph, is not installed.
    """
    unfinished = destination.with_name(f".{os.getpid()}-{destination.name}")
    count = round(seconds * fps)
    try:
        with av.open(str(unfinished), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=fps)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.time_base = Fraction(1, fps)
            stream.options = {"preset": "veryfast", "crf": "20", "bf": "0", "sc_threshold": "0"}
            stream.options |= {"g": str(fps), "threads": "1"}
            for index, picture in enumerate(_pictures(count, fps)):
                scaled = picture
                if size != (WIDTH, HEIGHT):
                    scaled = np.asarray(
                        cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8
                    )
                frame = av.VideoFrame.from_ndarray(scaled, format="bgr24")
                frame.pts = index
                container.mux(stream.encode(frame))
                if progress is not None:
                    progress((index + 1) / count)
            container.mux(stream.encode())
        os.replace(unfinished, destination)
    finally:
        unfinished.unlink(missing_ok=True)


def _pictures(count: int, fps: int) -> Iterator[Pixels]:
    photograph = _photograph()
    intruder = _cut_out(photograph, INTRUDER_OUTLINE)
    passer_by = _cut_out(photograph, PASSER_BY_OUTLINE)
    yard = _draw_yard()
    for index in range(count):
        at = index / fps
        picture = yard.copy()
        _walk(picture, intruder, INTRUDER_WALK, INTRUDER_FEET, at)
        _walk(picture, passer_by, PASSER_BY_WALK, PASSER_BY_FEET, at)
        yield np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _photograph() -> Pixels:
    found = importlib.util.find_spec("ultralytics")  # finds the folder without the costly import
    if found is None or found.origin is None:
        raise FileNotFoundError("the scene needs the photograph in Ultralytics: install it")
    path = Path(found.origin).parent / "assets" / "bus.jpg"
    photograph = cv2.imread(str(path))
    if photograph is None:
        raise FileNotFoundError(f"no picture at {path}: install Ultralytics again")
    return np.asarray(photograph, dtype=np.uint8)


def _cut_out(photograph: Pixels, outline: tuple[tuple[int, int], ...]) -> Figure:
    points = np.array(outline, np.int32)
    mask = np.zeros(photograph.shape[:2], np.uint8)
    cv2.fillPoly(mask, [points], 255, lineType=cv2.LINE_AA)
    soft = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3), np.uint8)), (0, 0), 1.2)
    left, top, width, height = cv2.boundingRect(points)
    crop = np.s_[top : top + height, left : left + width]
    opacity = soft[crop].astype(np.float32) / np.float32(255)
    return Figure(photograph[crop].astype(np.float32), opacity.astype(np.float32))


def _walk(
    picture: NDArray[np.float32],
    figure: Figure,
    walk: tuple[tuple[float, int], ...],
    feet: int,
    at: float,
) -> None:
    """Draw the figure where it is at that second of the clip; not at all before and after."""
    if not walk[0][0] <= at <= walk[-1][0]:
        return
    times, places = zip(*walk, strict=True)
    x, ahead = (float(np.interp(moment, times, places)) for moment in (at, at + 0.05))
    moving = abs(ahead - x) > 0.2
    phase = at * STEPS_PER_SECOND * math.pi
    # Walking closes and opens the legs and bobs the body; standing shifts the weight a little.
    stride = 0.80 + 0.20 * abs(math.cos(phase)) if moving else 0.92
    lift = 2.0 * abs(math.sin(phase)) if moving else 0.0
    sway = 0.0 if moving else 2.5 * math.sin(at * 1.3)
    following = next((place for time, place in walk if time > at and place != x), places[-1])
    _draw_figure(picture, figure, (x + sway, feet - lift), stride, facing_left=following < x)


def _draw_figure(
    picture: NDArray[np.float32],
    figure: Figure,
    feet: tuple[float, float],
    stride: float,
    *,
    facing_left: bool,
) -> None:
    """Blend the figure in, standing at `feet`; `stride` scales how far the legs are apart."""
    height, width = figure.opacity.shape
    scale = (round(feet[1]) - HORIZON) * HEIGHT_PER_DEPTH / height
    shrunk = cv2.GaussianBlur(np.dstack([figure.pixels, figure.opacity]), (0, 0), 0.35 / scale)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    source_y = height + (rows - feet[1]) / scale
    legs = np.clip((source_y / height - HIP_SHARE) / (1 - HIP_SHARE), 0, 1)
    spread = 1 + (stride - 1) * legs
    across = (columns - feet[0]) / scale / spread
    source_x = width / 2 + (-across if facing_left else across)
    drawn = cv2.remap(shrunk, source_x, source_y, cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0))

    shadow = np.zeros((HEIGHT, WIDTH), np.float32)
    ground = (round(feet[0]), round(feet[1]) - 2)
    reach = (round(width * scale * 0.5), max(3, round(width * scale * 0.09)))
    cv2.ellipse(shadow, ground, reach, 0, 0, 360, 0.55, -1)
    picture *= 1 - cv2.GaussianBlur(shadow, (0, 0), 3)[..., None]
    opacity = drawn[..., 3:]
    picture *= 1 - opacity
    picture += drawn[..., :3] * opacity


def _draw_yard() -> NDArray[np.float32]:
    """The empty scene, float32 BGR: sky, wall with door and window, pavement, yard, marked area."""
    yard = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    grain = np.random.default_rng(7).normal(0, 1, (HEIGHT, WIDTH, 1)).astype(np.float32)
    grain = 2.2 * grain + 5 * cv2.GaussianBlur(grain, (0, 0), 3)[..., None]
    for top, bottom, upper, lower in (
        (0, 46, (214, 190, 160), (226, 212, 196)),  # sky
        (46, WALL_FOOT, (150, 166, 176), (132, 148, 160)),  # wall
        (WALL_FOOT, KERB, (158, 162, 165), (172, 175, 178)),  # pavement
        (KERB, HEIGHT, (112, 114, 116), (138, 140, 142)),  # yard
    ):
        share = np.linspace(0, 1, bottom - top, dtype=np.float32)[:, None, None]
        yard[top:bottom] = np.array(upper, np.float32) * (1 - share) + share * np.array(
            lower, np.float32
        )
    _draw_wall(yard)
    for x in range(-1400, 2100, 140):  # joints of the slabs run to the vanishing point
        start = np.array((WIDTH / 2, HORIZON)) + (KERB - HORIZON) / (HEIGHT - HORIZON) * (
            np.array((x, HEIGHT)) - (WIDTH / 2, HORIZON)
        )
        cv2.line(yard, tuple(start.astype(int)), (x, HEIGHT), (98, 100, 102), 1, cv2.LINE_AA)
    for y in (252, 275, 306, 345):
        cv2.line(yard, (0, y), (WIDTH, y), (98, 100, 102), 1, cv2.LINE_AA)
    cv2.rectangle(yard, (0, KERB - 3), (WIDTH, KERB + 2), (188, 190, 192), -1)
    cv2.line(yard, (0, KERB + 3), (WIDTH, KERB + 3), (84, 86, 88), 1)
    _draw_marked_area(yard)
    return yard + grain


def _draw_wall(yard: NDArray[np.float32]) -> None:
    for x in range(20, WIDTH, 100):
        cv2.line(yard, (x, 50), (x, WALL_FOOT), (122, 138, 150), 1)
    cv2.rectangle(yard, (0, 44), (WIDTH, 51), (108, 118, 126), -1)  # coping
    cv2.rectangle(yard, (0, WALL_FOOT - 14), (WIDTH, WALL_FOOT), (112, 122, 130), -1)  # plinth
    for left, top, right, bottom, colour in (
        (392, 84, 464, WALL_FOOT, (78, 84, 88)),  # door frame
        (398, 90, 458, WALL_FOOT, (104, 92, 66)),  # steel door
        (406, 98, 450, 138, (116, 103, 76)),
        (406, 148, 450, 194, (116, 103, 76)),
        (449, 142, 455, 153, (190, 194, 196)),  # handle
        (414, 70, 442, 78, (196, 222, 232)),  # lamp
        (96, 92, 216, 150, (88, 92, 96)),  # window
        (101, 97, 211, 145, (92, 78, 62)),
        (488, 108, 524, 144, (60, 190, 226)),  # sign
    ):
        cv2.rectangle(yard, (left, top), (right, bottom), colour, -1)
    for x in range(112, 211, 14):
        cv2.line(yard, (x, 97), (x, 145), (128, 132, 136), 2)
    triangle = np.array([(506, 114), (519, 138), (493, 138)], np.int32)
    cv2.polylines(yard, [triangle], True, (30, 30, 34), 2, cv2.LINE_AA)
    cv2.line(yard, (506, 121), (506, 130), (30, 30, 34), 2)
    cv2.circle(yard, (506, 134), 1, (30, 30, 34), -1)


def _draw_marked_area(yard: NDArray[np.float32]) -> None:
    """Yellow hatching, drawn flat and laid onto the floor."""
    flat = np.zeros((400, 800), np.float32)
    for x in range(-400, 800, 80):
        cv2.line(flat, (x, 400), (x + 400, 0), 0.5, 22, cv2.LINE_AA)
    cv2.rectangle(flat, (0, 0), (799, 399), 0.95, 28)
    corners = np.array([(0, 0), (799, 0), (799, 399), (0, 399)], np.float32)
    onto_floor = cv2.getPerspectiveTransform(corners, ZONE_CORNERS)
    paint = cv2.warpPerspective(flat, onto_floor, (WIDTH, HEIGHT), flags=cv2.INTER_AREA)[..., None]
    yard *= 1 - 0.85 * paint
    yard += 0.85 * paint * np.array((52, 186, 226), np.float32)
