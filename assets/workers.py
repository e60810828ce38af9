"""What a worker loads: ``celery --app assets.workers worker``. Settings and application are made in ``spread``."""

from assets.spread import worker_application

app = worker_application()
