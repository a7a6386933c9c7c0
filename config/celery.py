"""The Celery application and the one list of periodic jobs."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import worker_ready
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("registry")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 3600,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        # a request that hints must not wait for a dead broker; the worker has its own, patient retries
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
        "queue_order_strategy": "priority",
    },
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    beat_schedule_filename=str(settings.DATA_DIR / "beat"),
    timezone="UTC",
    beat_schedule={
        "sweep overdue jobs": {"task": "registry.sweep", "schedule": settings.SWEEP_SECONDS},
        "reconcile storage": {"task": "registry.reconcile", "schedule": 60},
        "refresh download figures": {"task": "registry.refresh_figures", "schedule": 60},
        "what happens once a day": {"task": "registry.daily", "schedule": crontab(hour=3, minute=0)},
    },
)
app.autodiscover_tasks()


@worker_ready.connect
def beat(**what: object) -> None:
    """Let the health page know that this worker runs."""
    from registry import heartbeat

    heartbeat.start()
