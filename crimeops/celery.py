"""The one file that names queues, routes, worker pool and the beat schedule.

Loaded by `celery -A crimeops …`. Everything is set here, so that
`celery -A crimeops worker -Q streams,gpu` needs no other flag.
"""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, setup_logging
from celery.utils.nodenames import default_nodename
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crimeops.settings")

# Slots beyond the cameras', so that no watch task can starve gpu, alarms or a heartbeat.
SPARE_SLOTS = 8
# A reconcile or a sweep that is late is worthless: the next one is already on its way.
RECONCILE_SECONDS = 3.0
SWEEP_SECONDS = 5.0
TEND_SIRENS_SECONDS = 1.0
KEEP_ALARMS_WARM_SECONDS = 15.0

# Whoever rings while the broker is away must know at once: a siren is then sounded directly.
# (kombu's own defaults try for six seconds; consumers reconnect by rules of their own.)
BROKER_OPTIONS = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.05,
    "socket_connect_timeout": 2.0,
    "socket_timeout": 10.0,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

ROUTES = {
    "detection.watch": "streams",
    "detection.infer": "gpu",
    "detection.refresh_cameras": "default",
    "detection.reconcile": "default",
    "detection.fan_out_heartbeat": "default",
    "detection.send_heartbeat": "default",  # sent to each worker's own direct queue
    "detection.close_orphaned_episodes": "default",
    "integrations.sound_siren": "alarms",
    "integrations.silence_siren": "alarms",
    "integrations.tend_sirens": "alarms",
    "integrations.tend_siren": "alarms",
    "integrations.keep_alarms_warm": "alarms",
    "integrations.warm_alarm": "alarms",
    "integrations.deliver": "reports",
    "integrations.sweep_deliveries": "default",
}


def configuration() -> dict[str, Any]:
    """Celery's settings; read when first needed, because the environment is checked then."""
    from django.conf import settings  # not at import: the app is named before Django is set up

    environment = settings.ENVIRONMENT
    return {
        "broker_url": environment.redis_url,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": BROKER_OPTIONS,
        # One thread a camera; CUDA and the warm camera sessions do not survive a fork.
        "worker_pool": "threads",
        "worker_concurrency": environment.max_cameras + SPARE_SLOTS,
        "worker_prefetch_multiplier": 1,
        # Heartbeats go to the very worker that claimed.
        "worker_direct": True,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "task_ignore_result": True,
        "task_create_missing_queues": False,
        "task_default_queue": "default",
        "task_queues": [Queue(name) for name in sorted(set(ROUTES.values()))],
        "task_routes": {task: {"queue": queue} for task, queue in ROUTES.items()},
        "event_queue_expires": 60.0,
        "enable_utc": True,
        "timezone": "UTC",
        "beat_schedule_filename": str(settings.STATE_DIR / "celerybeat-schedule"),
        "beat_schedule": beat_schedule(environment),
    }


def beat_schedule(environment: Any) -> dict[str, Any]:
    """What runs when. Each entry expires before its successor is due."""
    periods = {
        "detection.refresh_cameras": environment.camera_refresh_interval,
        "detection.reconcile": RECONCILE_SECONDS,
        "detection.fan_out_heartbeat": environment.heartbeat_interval,
        "detection.close_orphaned_episodes": SWEEP_SECONDS,
        "integrations.tend_sirens": TEND_SIRENS_SECONDS,
        "integrations.keep_alarms_warm": KEEP_ALARMS_WARM_SECONDS,
        "integrations.sweep_deliveries": SWEEP_SECONDS,
    }
    return {
        task: {"task": task, "schedule": seconds, "options": {"expires": seconds * 0.9}}
        for task, seconds in periods.items()
    }


app = Celery("crimeops")
app.add_defaults(configuration)
app.autodiscover_tasks()


@celeryd_init.connect
def name_worker(sender: str, instance: Any, options: dict[str, Any], **_: object) -> None:
    """Two workers typed without `-n` on one host must not share a name, and so a direct queue.

    A given name is left alone. https://docs.celeryq.dev/en/stable/userguide/workers.html
    """
    if sender != default_nodename(""):
        return
    queues = options.get("queues") or "all"
    names = queues if isinstance(queues, str) else ",".join(queues)
    host = sender.partition("@")[2]
    instance.hostname = f"{names.replace(',', '-')}.{os.getpid()}@{host}"


@beat_init.connect
def start_watching_at_once(**_: object) -> None:
    """Beat waits a whole period before each first run; an operator does not want to."""
    app.send_task("detection.refresh_cameras", expires=30)


@setup_logging.connect
def use_django_logging(**_: object) -> None:
    """Keep the handlers of `settings.LOGGING`, which redact; connecting is enough for Celery."""
    import django

    django.setup()


def _configure_flower() -> None:
    """Hand our settings to Flower, which reads only its own FLOWER_* variables."""
    from django.conf import settings

    environment = settings.ENVIRONMENT
    os.environ.setdefault("FLOWER_ADDRESS", environment.flower_address)
    os.environ.setdefault("FLOWER_PORT", str(environment.flower_port))
    if not environment.flower_basic_auth:
        raise SystemExit("Flower shows every task: set FLOWER_BASIC_AUTH=user:password first.")
    os.environ.setdefault("FLOWER_BASIC_AUTH", environment.flower_basic_auth)


if "celery" in sys.argv[0] and "flower" in sys.argv:  # now: it reads them before it loads us
    _configure_flower()
