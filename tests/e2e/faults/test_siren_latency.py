"""How fast a siren is: real decisions of a whole cluster, measured at the camera."""

from pathlib import Path

import pytest

from benchmarks.siren_latency import Stage, figures, latencies
from tests.e2e.cluster import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

ALARMS = 20


def test_a_siren_is_asked_for_within_the_blink_of_the_decision(
    tmp_path: Path, broker_url: str, postgres_url: str, model_dir: Path, rendered_scene: Path
) -> None:
    """The promise is 50 ms at p95, measured over 200 by `benchmarks/siren_latency.py`.

    The bound here allows for a machine that is busy with other tests.
    """
    stage = Stage(rendered_scene, tmp_path, cameras=2)
    with Cluster(tmp_path, broker_url, postgres_url, model_dir, stage.cameras) as cluster:
        stage.prepare(cluster)
        stage.play(ALARMS)
        result = figures(latencies(cluster, stage.cameras))
    print(f"decision → siren: {result}")
    assert result["alarms"] >= ALARMS
    assert result["p95_ms"] < 250
