"""The database of the test server: mongomock-ng, an in-memory MongoDB, with what udata needs and it lacks.

It runs in the environment of udata (udata.lock), never in the project's. What is filled in here, no more
(database_gaps.py, run by a test, guards each point, and fails when a version of mongomock-ng makes it needless):

1. `{"$set": {"resources.$": ..., "other": ...}}` loses every key after the positional one: the loop over the elements
   takes the name of the document, and the next keys are written into an element. udata replaces resources so, and would
   silently lose dates. Each key is therefore applied by a call of its own.
2. `$text` isn't implemented (udata's `?q=` answers 500): words and quoted phrases are looked for, folded, in all texts.
3. An update reads then writes with nothing to hold other threads: MongoDB's are atomic, so a lock makes them so.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator

from mongomock_ng import MongoClient
from mongomock_ng.collection import Collection, Cursor
from mongomock_ng.filtering import _Filterer

__all__ = ["MongoClient"]

_updating = threading.RLock()
_apply_positional = Collection._update_document_fields_positional
_update = Collection._update
_apply_filter = _Filterer.apply
_find = Collection.find
_sort = Cursor.sort


def _apply_each_positional(self, doc, fields, spec, updater, subdocument=None):
    for key, value in fields.items():
        subdocument = _apply_positional(self, doc, {key: value}, spec, updater, subdocument)
    return subdocument


def _update_alone(self, *arguments, **options):
    with _updating:
        return _update(self, *arguments, **options)


def _fold(text: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield _fold(value)
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _holds(document: object, search: str) -> bool:
    """Whether a document answers a search: all its quoted phrases; without any, one of its words."""
    text = "\n".join(_texts(document))
    phrases = re.findall(r'"([^"]+)"', _fold(search))
    if phrases:
        return all(phrase in text for phrase in phrases)
    return not set(re.findall(r"\w+", _fold(search))).isdisjoint(re.findall(r"\w+", text))


def _apply_filter_with_text(self, search_filter, document, user_vars=None):
    if isinstance(search_filter, dict) and "$text" in search_filter:
        if not _holds(document, search_filter["$text"]["$search"]):
            return False
        search_filter = {key: value for key, value in search_filter.items() if key != "$text"}
    return _apply_filter(self, search_filter, document, user_vars)


def _is_score(value: object) -> bool:
    return isinstance(value, dict) and "$meta" in value


def _find_without_score(self, filter=None, projection=None, *arguments, **options):
    if isinstance(projection, dict):
        projection = {key: value for key, value in projection.items() if not _is_score(value)} or None
    return _find(self, filter, projection, *arguments, **options)


def _sort_without_score(self, key_or_list, direction=None):
    if isinstance(key_or_list, list | tuple):
        key_or_list = [pair for pair in key_or_list if not (isinstance(pair, list | tuple) and _is_score(pair[1]))]
    return _sort(self, key_or_list, direction) if key_or_list else self


Collection._update_document_fields_positional = _apply_each_positional
Collection._update = _update_alone
Collection.find = _find_without_score
Cursor.sort = _sort_without_score
_Filterer.apply = _apply_filter_with_text
