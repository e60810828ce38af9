"""Run in the environment of the official client: tells as JSON what it reads of a dataset. `BASE_URL DATASET FOLDER`

Files are downloaded by the client into the folder, so that a test compares them with what was published.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from datagouv import Client


def main() -> None:
    base_url, identifier, folder = sys.argv[1:]
    client = Client("dev")
    client.base_url = base_url  # it knows no other hosts than those of data.gouv.fr
    dataset = client.dataset(identifier)
    files = {}
    for resource in dataset.resources:
        place = Path(folder) / resource.id
        resource.download(str(place))
        files[resource.extras["resultats:key"]] = str(place)
    print(json.dumps({"title": dataset.title, "files": files}))


if __name__ == "__main__":
    main()
