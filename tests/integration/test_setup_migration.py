"""A zone's own dwell from before settings is one of its settings after, and the way back."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, AFTER = "0003_behaviour", "0004_setup"


def models_at(name: str) -> Any:
    MigrationExecutor(connection).migrate([("detection", name)])
    return MigrationExecutor(connection).loader.project_state([("detection", name)]).apps


def zones(apps: Any, field: str) -> dict[str, Any]:
    return dict(apps.get_model("detection", "Zone").objects.values_list("name", field))


def test_a_zones_own_dwell_becomes_a_setting_and_goes_back() -> None:
    leaves = [(app, name) for app, name in MigrationExecutor(connection).loader.graph.leaf_nodes()]
    try:
        old = models_at(BEFORE)
        camera = old.get_model("detection", "Camera").objects.create(external_id=1, name="Yard")
        make = old.get_model("detection", "Zone").objects.create
        given = {"camera": camera, "polygon": [[0, 0], [1, 0], [0, 1]]}
        make(name="gate", kind="restricted", dwell_seconds=8.0, **given)
        kept = {"loitering": {"radius": 0.3}}
        make(name="bench", kind="loitering", dwell_seconds=90.0, rule_settings=kept, **given)
        make(name="street", kind="loitering", **given)
        make(name="door", kind="door", dwell_seconds=5.0, **given)
        assert zones(models_at(AFTER), "rule_settings") == {
            "gate": {"trespassing": {"dwell_seconds": 8.0}},
            "bench": {"loitering": {"radius": 0.3, "dwell_seconds": 90.0}},
            "street": {},
            "door": {},
        }
        assert zones(models_at(BEFORE), "dwell_seconds") == {
            "gate": 8.0,
            "bench": 90.0,
            "street": None,
            "door": None,
        }
    finally:
        MigrationExecutor(connection).migrate(leaves)
