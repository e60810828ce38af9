"""The executor of every job: it takes hold of the output before the steps of a run, and waits for its turn.

So the night, a backfill of the UI and the command line never work on an output at the same time.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from pipelines.flow.output_folder import tidy
from pipelines.operations.output_lock import OutputBusyError, alone_on

if TYPE_CHECKING:
    from dagster._core.execution.context.system import PlanOrchestrationContext
    from dagster._core.execution.plan.plan import ExecutionPlan
    from dagster._core.execution.retries import RetryMode
    from dagster._core.execution.step_dependency_config import StepDependencyConfig

EVERY = 2.0  # seconds between two tries
PATIENCE = 2 * 3600.0  # seconds: a run that waits longer fails and says for whom it waited


def locked_executor(inner: dg.ExecutorDefinition, output: str, *, among: str = "") -> dg.ExecutorDefinition:
    """Return ``inner`` that holds ``output``, a folder or a URL, while it executes; ``among``: see ``alone_on``."""

    def create(context: dg.InitExecutorContext) -> dg.Executor:
        assert inner.executor_creation_fn is not None
        return _Locked(inner.executor_creation_fn(context), output, among)

    return dg.ExecutorDefinition(
        name=inner.name,
        config_schema=cast("Any", inner.config_schema),
        requirements=inner.get_requirements,
        executor_creation_fn=create,
    )


class _Locked(dg.Executor):
    def __init__(self, inner: dg.Executor, output: str, among: str) -> None:
        self._inner, self._output, self._among = inner, output, among

    def __getattr__(self, name: str) -> Any:
        """Give what else is asked of an executor (Celery's own loop does): the inner one's."""
        return getattr(self._inner, name)

    @property
    def retries(self) -> "RetryMode":
        """Retries are the inner executor's."""
        return self._inner.retries

    @property
    def step_dependency_config(self) -> "StepDependencyConfig":
        """So are dependencies."""
        return self._inner.step_dependency_config

    def execute(
        self, plan_context: "PlanOrchestrationContext", execution_plan: "ExecutionPlan"
    ) -> Iterator[dg.DagsterEvent]:
        """Wait for the output, then execute. Raises OutputBusyError when it stays held for longer than ``PATIENCE``."""
        run = plan_context.dagster_run
        who, until, told = f"Dagster, traitement {run.run_id[:8]}", time.monotonic() + PATIENCE, False
        with ExitStack() as held:
            while True:
                try:
                    held.enter_context(alone_on(self._output, who, among=self._among))
                    break
                except OutputBusyError as error:
                    if time.monotonic() > until:
                        raise
                    if not told:
                        plan_context.instance.report_engine_event(f"Attente : {error}", run)
                    told = True
                    with dg.raise_execution_interrupts():  # so that it can be canceled
                        time.sleep(EVERY)
            tidy(self._output)
            yield from self._inner.execute(plan_context, execution_plan)
