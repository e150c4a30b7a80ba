"""The one file that names queues, routes, worker pool and the beat schedule.

Loaded by `celery -A crimeops …`. Everything is set here, so that
`celery -A crimeops worker -Q streams,gpu` needs no other flag.
"""

import os
import signal
import sys
import threading
from typing import Any

from celery import Celery, bootsteps
from celery.signals import (
    after_task_publish,
    beat_init,
    celeryd_init,
    setup_logging,
    worker_shutting_down,
)
from celery.utils.nodenames import default_nodename, worker_direct
from kombu import Queue

from crimeops.logging import redact_uncaught
from crimeops.queues import trim

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crimeops.settings")

# Slots beyond the cameras', so that no watch task can starve gpu, alarms or a heartbeat.
SPARE_SLOTS = 8
# A reconcile or a sweep that is late is worthless: the next one is already on its way.
RECONCILE_SECONDS = 3.0
SWEEP_SECONDS = 5.0
SWEEP_DELIVERIES_SECONDS = 2.0
TEND_SIRENS_SECONDS = 1.0
KEEP_ALARMS_WARM_SECONDS = 15.0
PRUNE_SECONDS = 600.0
# Beat's clock says when a sweep expires and a worker's whether it has: two hosts may differ by
# this. Each may run twice, and one that finds its predecessor under way skips itself.
LEAST_EXPIRY_SECONDS = 5.0

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
    "detection.sing": "default",  # sent by each worker to its own direct queue
    "detection.prune": "default",
    "integrations.sound_siren": "alarms",
    "integrations.silence_siren": "alarms",
    "integrations.tend_sirens": "alarms",
    "integrations.tend_siren": "alarms",
    "integrations.keep_alarms_warm": "alarms",
    "integrations.warm_alarm": "alarms",
    "integrations.deliver": "reports",
    "integrations.sweep_deliveries": "default",
    "integrations.prune": "default",
}


def configuration() -> dict[str, Any]:
    """Celery's settings; read when first needed, because the environment is checked then."""
    from django.conf import settings  # not at import: the app is named before Django is set up

    environment = settings.ENVIRONMENT
    return {
        "broker_url": verified(environment.redis_url),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # A Redis that refuses (it became a replica, is full) is as one that is away: wait for it.
        "broker_channel_error_retry": True,
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


def verified(broker_url: str) -> str:
    """The address with which kombu checks the broker's certificate; by itself it does not.

    https://github.com/celery/kombu/blob/main/kombu/connection.py (“defaulting to insecure SSL”)
    """
    if not broker_url.startswith("rediss://") or "ssl_cert_reqs=" in broker_url:
        return broker_url
    return f"{broker_url}{'&' if '?' in broker_url else '?'}ssl_cert_reqs=required"


def beat_schedule(environment: Any) -> dict[str, Any]:
    """What runs when. Each entry expires before its successor is due, but for the frequent ones."""
    periods = {
        "detection.refresh_cameras": environment.camera_refresh_interval,
        "detection.reconcile": RECONCILE_SECONDS,
        "detection.fan_out_heartbeat": heartbeat_look_seconds(environment.heartbeat_interval),
        "detection.close_orphaned_episodes": SWEEP_SECONDS,
        "integrations.tend_sirens": TEND_SIRENS_SECONDS,
        "integrations.keep_alarms_warm": KEEP_ALARMS_WARM_SECONDS,
        "integrations.sweep_deliveries": SWEEP_DELIVERIES_SECONDS,
        "detection.prune": PRUNE_SECONDS,
        "integrations.prune": PRUNE_SECONDS,
    }
    return {
        task: {
            "task": task,
            "schedule": seconds,
            "options": {"expires": max(LEAST_EXPIRY_SECONDS, seconds * 0.9)},
        }
        for task, seconds in periods.items()
    }


def heartbeat_look_seconds(interval: float) -> float:
    """How often it is asked whether a heartbeat is due: one that failed is soon sent again."""
    return max(1.0, interval / 6)


def instance_queue(instance: str) -> Queue:
    """Where the streams workers of one instance are rung for cameras that it alone may watch."""
    queue: Queue = worker_direct(f"streams.{instance}")
    return queue


app = Celery("crimeops", amqp="crimeops.broker:PromptAmqp")
app.add_defaults(configuration)
app.autodiscover_tasks()


class EndEveryWatch(bootsteps.StartStopStep):
    """Ends the watch tasks however the worker ends: `celery control shutdown` is no signal."""

    def close(self, worker: Any) -> None:
        worker_shutting_down.send(sender=None, sig="", how="Warm", exitcode=worker.exitcode)


app.steps["worker"].add(EndEveryWatch)


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


@celeryd_init.connect
@beat_init.connect
def keep_queues_short(**_: object) -> None:
    """Whoever rings all day also trims."""
    after_task_publish.connect(trim)


@beat_init.connect
def start_watching_at_once(**_: object) -> None:
    """Beat waits a whole period before each first run; an operator does not want to."""
    app.send_task("detection.refresh_cameras", expires=30)


@beat_init.connect
def end_beat_between_two_turns(sender: Any, **_: object) -> None:
    """Celery closes the schedule within the signal's handler, and so breaks what it interrupts.

    A turn lasts about a second; where it hangs, the next signal does what Celery's own would have.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # `worker -B`, which Celery itself calls unfit for more than a trial
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(*_: object) -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sender.stop()

    for number in handlers:
        signal.signal(number, stop)


@setup_logging.connect
def use_django_logging(**_: object) -> None:
    """Keep the handlers of `settings.LOGGING`, which redact; connecting is enough for Celery."""
    import django

    django.setup()
    redact_uncaught()


def _configure_flower() -> None:
    """Hand our settings to Flower, which reads only its own FLOWER_* variables."""
    from django.conf import settings

    environment = settings.ENVIRONMENT
    os.environ.setdefault("FLOWER_ADDRESS", environment.flower_address)
    os.environ.setdefault("FLOWER_PORT", str(environment.flower_port))
    os.environ.setdefault("FLOWER_URL_PREFIX", "flower")  # the admin shows it under /flower/
    if not environment.flower_basic_auth:
        raise SystemExit("Flower shows every task: set FLOWER_BASIC_AUTH=user:password first.")
    os.environ.setdefault("FLOWER_BASIC_AUTH", environment.flower_basic_auth)


if "celery" in sys.argv[0] and "flower" in sys.argv:  # now: it reads them before it loads us
    _configure_flower()
