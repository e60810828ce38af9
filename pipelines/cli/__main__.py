"""``python -m pipelines.cli``: the same as ``resultats``."""

import sys

from pipelines.cli import main

sys.exit(main())
