"""The executor of every job, which first takes hold of the output, and waits for its turn: no two jobs write there.

Steps on several machines: Dagster's Celery executor; what its workers run is in ``workers``.

Which broker, and whether there is one, is said by the environment (RESULTATS_BROKER); without it steps run in the
process of their run. Where their files meet is the business of the store.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import dagster as dg
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan

from pipelines.flow.output_folder import tidy
from pipelines.operations.output_lock import OutputBusyError, alone_on
from pipelines.operations.settings import setting

BROKER = "RESULTATS_BROKER"
LONGEST_STEP = "RESULTATS_LONGEST_STEP"


def executor_from_environment(output: str) -> dg.ExecutorDefinition:
    """Return the executor of every job that works on ``output``, which it holds while it does.

    Raises ImportError when a broker is named and the extra isn't installed.
    """
    if not setting(BROKER):
        return locked_executor(dg.in_process_executor, output)
    from dagster_celery import celery_executor  # noqa: PLC0415 (an optional extra)

    shared = locked_executor(celery_executor, output, among="steps spread by one instance")  # years run side by side
    configured: dg.ExecutorDefinition = shared.configured(
        {"broker": {"env": BROKER}, "config_source": celery_settings()}, name="celery"
    )
    return configured


def celery_settings() -> dict[str, Any]:
    """Return what makes steps outlive their worker.

    A step is taken off the broker when it is done: that of a process killed alone (out of memory) is given again at
    once, that of a lost machine with Redis after LONGEST_STEP (seconds). A step given twice does no harm: it writes the
    same contents. One that kills each process that takes it is given again until the longest time of a run is over.
    """
    return {
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,  # a worker takes the step that it runs, and leaves the others to the others
        "broker_transport_options": {"visibility_timeout": int(setting(LONGEST_STEP, "3600"))},
        "broker_connection_retry_on_startup": True,
        "task_default_queue": "dagster",
    }


EVERY = 2.0  # seconds between two tries
PATIENCE = 2 * 3600.0  # seconds: a run that waits longer fails and says for whom it waited


def locked_executor(inner: dg.ExecutorDefinition, output: str, *, among: str = "") -> dg.ExecutorDefinition:
    """Return ``inner`` that holds ``output``, a folder or a URL, while it executes; ``among``: see ``alone_on``."""

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        assert inner.executor_creation_fn is not None
        executor = inner.executor_creation_fn(context)
        execute = executor.execute

        def execute_alone(
            plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
        ) -> Iterator[dg.DagsterEvent]:
            with _turn(plan_context, output, among):
                tidy(output)
                yield from execute(plan_context, execution_plan)

        executor.execute = execute_alone  # type: ignore[method-assign]  # all else is the inner executor's
        return executor

    return dg.ExecutorDefinition(
        name=inner.name,
        config_schema=cast("Any", inner.config_schema),
        requirements=inner.get_requirements,
        executor_creation_fn=create,
    )


@contextmanager
def _turn(plan_context: PlanOrchestrationContext, output: str, among: str) -> Iterator[None]:
    """Wait for the output, then hold it. Raises OutputBusyError when it stays held for longer than ``PATIENCE``."""
    run, until, waiting = plan_context.dagster_run, time.monotonic() + PATIENCE, False
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(alone_on(output, f"Dagster, traitement {run.run_id[:8]}", among=among))
                break
            except OutputBusyError as error:
                if time.monotonic() > until:
                    raise
                if not waiting:
                    plan_context.instance.report_engine_event(f"Attente : {error}", run)
                waiting = True
                with dg.raise_execution_interrupts():  # so that it can be canceled
                    time.sleep(EVERY)
        yield
