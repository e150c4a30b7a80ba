"""What every test may rely on. Unit tests have no network; the others speak to loopback only."""

import os
from pathlib import Path

import hypothesis
import pytest
from pytest_socket import disable_socket, socket_allow_hosts

from simulators.demo.stage import built_in_clip

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

REPOSITORY = Path(__file__).resolve().parent.parent
UNIT = REPOSITORY / "tests" / "unit"
CLIPS = Path(os.environ.get("CRIMEOPS_CLIPS", REPOSITORY.parent / "shared" / "clips"))


@pytest.fixture(autouse=True)
def _closed_network(request: pytest.FixtureRequest) -> None:
    if UNIT in request.path.parents:
        disable_socket(allow_unix_socket=True)
    else:
        loopback = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "localhost", "::1"]
        socket_allow_hosts(loopback, allow_unix_socket=True)


@pytest.fixture(scope="session")
def model_dir() -> Path:
    """Where weights and exports are shared among the tests of all runs."""
    return Path(os.environ.get("CRIMEOPS_MODEL_DIR", REPOSITORY / "var" / "models"))


@pytest.fixture(scope="session")
def rendered_scene() -> Path:
    """The demo's clip, rendered once for each version of its renderer."""
    return built_in_clip(REPOSITORY / "var" / "test", lambda _: None)


@pytest.fixture
def real_clip(request: pytest.FixtureRequest) -> Path:
    """Real footage, named by `request.param`; said to be absent where it is."""
    clip = CLIPS / str(request.param)
    if not clip.is_file():
        pytest.skip(f"no footage here: {clip.name} is looked for in {CLIPS} (CRIMEOPS_CLIPS)")
    return clip
