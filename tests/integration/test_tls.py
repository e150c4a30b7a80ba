"""Certificates are verified everywhere but on the cameras: with real self-signed servers."""

from pathlib import Path

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError
from pytest_django import Settings

from crimeops.celery import BROKER_OPTIONS, configuration, verified
from crimeops.settings import database
from detection.ports import RegistryError, TransportError
from detection.transport.redis import RedisTransport
from integrations.laravel.client import LaravelOptions
from integrations.laravel.registry import LaravelRegistry
from simulators.laravel import LaravelSimulator
from tests import services
from tests.certificates import self_signed, tls_door

KEY = "the-key-that-nobody-else-shall-see"


def registry(port: int, ca_file: str = "") -> LaravelRegistry:
    options = LaravelOptions(f"https://127.0.0.1:{port}", KEY, retries=0, ca_file=ca_file)
    return LaravelRegistry(options)


def test_a_back_end_that_nobody_vouches_for_is_refused_and_never_sees_the_key(
    tmp_path: Path,
) -> None:
    context, certificate = self_signed(tmp_path)
    with (
        LaravelSimulator(KEY) as backend,
        tls_door(int(backend.url.split(":")[2]), context) as port,
    ):
        with pytest.raises(
            RegistryError, match=r"its certificate cannot be verified \(BACKEND_CA_FILE"
        ) as refusal:
            registry(port).list_cameras()
        assert not refusal.value.permanent
        assert backend.calls == []
        assert registry(port, str(certificate)).list_cameras() == []
        assert len(backend.calls) == 1


def test_a_certificate_of_another_host_is_refused_though_somebody_vouches_for_it(
    tmp_path: Path,
) -> None:
    context, certificate = self_signed(tmp_path, host="127.0.0.9")
    with (
        LaravelSimulator(KEY) as backend,
        tls_door(int(backend.url.split(":")[2]), context) as port,
    ):
        with pytest.raises(RegistryError, match="certificate cannot be verified"):
            registry(port, str(certificate)).list_cameras()
        assert backend.calls == []


def test_a_broker_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    with services.broker() as server, tls_door(server.port, context) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        with pytest.raises(TransportError):
            RedisTransport.connect(url, lambda: None).take(1)
        with (
            pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"),
            Connection(verified(url), transport_options=BROKER_OPTIONS) as broker,
        ):
            broker.ensure_connection(max_retries=1, timeout=3)
        trusted = f"{url}?ssl_ca_certs={certificate}"
        assert RedisTransport.connect(trusted, lambda: None).take(1) == []
        with Connection(verified(trusted), transport_options=BROKER_OPTIONS) as broker:
            broker.ensure_connection(max_retries=1, timeout=3)


def test_the_clusters_own_broker_address_is_the_verified_one(settings: Settings) -> None:
    for given, used in (
        ("rediss://h/0", "rediss://h/0?ssl_cert_reqs=required"),
        ("rediss://h/0?ssl_ca_certs=/c", "rediss://h/0?ssl_ca_certs=/c&ssl_cert_reqs=required"),
        ("redis://h/0", "redis://h/0"),
    ):
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"redis_url": given})
        assert configuration()["broker_url"] == used


def test_what_the_address_of_the_database_asks_of_tls_reaches_its_driver() -> None:
    chosen = database("postgres://u:p%40ss@db/crimeops?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    options = chosen["OPTIONS"]
    assert isinstance(options, dict)
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "/etc/ca.pem")
    assert chosen["PASSWORD"] == "p@ss"
