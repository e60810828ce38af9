"""What a worker runs (``celery --app assets.workers worker``), with the settings of the executor that sends steps."""

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_task

from assets.spread import BROKER, celery_settings
from pipelines.operations.settings import ENVIRONMENT

app = make_app({"broker": ENVIRONMENT[BROKER], "backend": "rpc://", "config_source": celery_settings()})
create_task(app)
