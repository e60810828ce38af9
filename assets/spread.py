"""Steps on several machines: Dagster's Celery executor, and the application that ``celery`` workers run.

Which broker, and whether there is one, is said by the environment (RESULTATS_BROKER); without it steps run in the
process of their run. Where their files meet is the business of ``shared``.
"""

from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.locked_executor import locked_executor
from pipelines.operations.settings import ENVIRONMENT, setting

if TYPE_CHECKING:
    from celery import Celery

BROKER = "RESULTATS_BROKER"
LONGEST_STEP = "RESULTATS_LONGEST_STEP"
_AN_HOUR = 3600


def executor_from_environment(output: str) -> dg.ExecutorDefinition:
    """Return the executor of every job that works on ``output``, which it holds while it does.

    Raises ImportError when a broker is named and the extra isn't installed.
    """
    if not setting(BROKER):
        return locked_executor(dg.in_process_executor, output)
    from dagster_celery import celery_executor  # noqa: PLC0415 (an optional extra)

    shared = locked_executor(celery_executor, output, among="steps spread by one instance")  # years run side by side
    configured: dg.ExecutorDefinition = shared.configured(
        {"broker": {"env": BROKER}, "config_source": _settings()}, name="celery"
    )
    return configured


def worker_application() -> "Celery":
    """Return the application of a worker, with the same settings as the executor that sends it steps."""
    from dagster_celery.make_app import make_app  # noqa: PLC0415
    from dagster_celery.tasks import create_task  # noqa: PLC0415

    application = make_app({"broker": ENVIRONMENT[BROKER], "backend": "rpc://", "config_source": _settings()})
    create_task(application)
    return application


def _settings() -> dict[str, Any]:
    """Return what makes steps outlive their worker.

    A step is taken off the broker when it is done: that of a process killed alone (out of memory) is given again at
    once, that of a lost machine with Redis after LONGEST_STEP (seconds). A step given twice does no harm: it writes the
    same contents. One that kills each process that takes it is given again until the longest time of a run is over.
    """
    longest = int(setting(LONGEST_STEP) or _AN_HOUR)
    return {
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,  # a worker takes the step that it runs, and leaves the others to the others
        "broker_transport_options": {"visibility_timeout": longest},
        "broker_connection_retry_on_startup": True,
        "result_expires": 86400,
        "accept_content": ["json"],
        "task_default_queue": "dagster",
    }
