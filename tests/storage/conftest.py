"""Storages to try: each test runs on all of them, on S3 in the end-to-end tier only."""

from __future__ import annotations

import uuid

import fsspec
import pytest


@pytest.fixture(params=["memory", "file", pytest.param("s3", marks=pytest.mark.e2e)])
def storage_url(request, tmp_path):
    """An empty place of its own."""
    if request.param == "file":
        yield f"file://{tmp_path}/partage"
    elif request.param == "s3":
        yield f"s3://{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}"
    else:
        name = uuid.uuid4().hex
        yield f"memory://{name}/sortie"
        filesystem = fsspec.filesystem("memory")
        if filesystem.exists(f"/{name}"):
            filesystem.rm(f"/{name}", recursive=True)
