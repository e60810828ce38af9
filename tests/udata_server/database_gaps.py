"""Run in udata's environment by a test: each gap of mongomock-ng is there, then filled by database.py."""

from __future__ import annotations

from typing import Any

import mongomock_ng


def fresh() -> Any:
    collection = mongomock_ng.MongoClient().tests.datasets
    collection.insert_one({"_id": 1, "title": "Été à Nîmes", "a": 0, "b": 0, "resources": [{"_id": "x"}, {"_id": "y"}]})
    return collection


def replace_an_element(collection: Any) -> Any:
    change = {"$set": {"a": 1, "resources.$": {"_id": "y", "n": 2}, "b": 1}}
    collection.update_one({"_id": 1, "resources._id": "y"}, change)
    return collection.find_one()


def found(collection: Any, search: str) -> int:
    score = {"score": {"$meta": "textScore"}}
    return len(list(collection.find({"$text": {"$search": search}}, score).sort([("score", score["score"])])))


def main() -> None:
    assert replace_an_element(fresh())["b"] == 0, "mongomock-ng keeps the keys after `$` now: remove gap 1"
    try:
        found(fresh(), "nimes")
    except (NotImplementedError, TypeError):
        pass
    else:
        raise AssertionError("mongomock-ng searches texts now: remove gap 2")

    import database

    assert database.MongoClient is mongomock_ng.MongoClient
    after = replace_an_element(fresh())
    assert (after["a"], after["b"], after["resources"]) == (1, 1, [{"_id": "x"}, {"_id": "y", "n": 2}])
    assert after["title"] == "Été à Nîmes"
    for search, expected in {"nimes": 1, "ete lyon": 1, '"a nimes"': 1, '"ete" "lyon"': 0, "nime": 0}.items():
        assert found(fresh(), search) == expected, search


if __name__ == "__main__":
    main()
