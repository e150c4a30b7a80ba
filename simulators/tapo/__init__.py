"""Tapo cameras that do not exist: pytapo logs in, PyAV plays, and faults come at a switch."""

from simulators.tapo.camera import SimulatedTapo
from simulators.tapo.clip import Clip, UnsuitableClip, load_clip, prepare_clip
from simulators.tapo.serve import LoopThread, serve
from simulators.tapo.siren import SirenCall

__all__ = [
    "Clip",
    "LoopThread",
    "SimulatedTapo",
    "SirenCall",
    "UnsuitableClip",
    "load_clip",
    "prepare_clip",
    "serve",
]
