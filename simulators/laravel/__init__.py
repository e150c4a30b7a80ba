"""A strict stand-in for the Laravel back end: the product meets the contract here first."""

from simulators.laravel.cameras import SimulatedCamera
from simulators.laravel.records import (
    HeartbeatRelease,
    ReceivedAlarm,
    ReceivedAlert,
    ReceivedCrime,
    ReceivedStop,
    RecordedCall,
    Violation,
)
from simulators.laravel.server import LaravelSimulator

__all__ = [
    "HeartbeatRelease",
    "LaravelSimulator",
    "ReceivedAlarm",
    "ReceivedAlert",
    "ReceivedCrime",
    "ReceivedStop",
    "RecordedCall",
    "SimulatedCamera",
    "Violation",
]
