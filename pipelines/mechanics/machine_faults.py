"""What a machine refuses (no room, no right, no memory…), told in French with what to do; what passes by waiting."""

import errno
import re
from collections.abc import Iterator

_FULL = "plus de place sur le disque{where} : en faire, puis relancer la même commande"
_TOLD = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "un fichier dépasse la taille permise sur cette machine{where} : lever la limite, puis relancer",
    errno.EACCES: "droits insuffisants{where} : les donner au compte qui lance la commande",
    errno.EPERM: "droits insuffisants{where} : les donner au compte qui lance la commande",
    errno.EROFS: "disque en lecture seule{where}",
    errno.ENOENT: "fichier ou dossier introuvable{where}",
    errno.ENOTDIR: "un fichier se trouve là où un dossier est attendu{where}",
    errno.EEXIST: "un fichier de ce nom existe déjà{where}",
    errno.EISDIR: "un dossier se trouve là où un fichier est attendu{where}",
    errno.EIO: "le disque a failli{where} : le faire contrôler avant de relancer",
    errno.EMFILE: "trop de fichiers ouverts : relever la limite de la machine (ulimit -n)",
    errno.ENAMETOOLONG: "nom trop long{where}",
    errno.ENOMEM: "mémoire insuffisante : fermer d'autres programmes, ou en donner davantage",
}
_TOO_MANY_REQUESTS = 429  # HTTP
_SERVER_ERRORS = range(500, 600)  # HTTP
_NUMBER = re.compile(r"\[Errno (\d+)\][^:\n]*(?:: '([^'\n]+)')?")
_SQLITE_FULL = "database or disk is full"
_CLIENTS_WITHOUT_ANSWER = {  # of libraries that are optional: known by their names
    *("ClientConnectionError", "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"),
}


def machine_fault(error: BaseException) -> str | None:
    """Say what the machine refused, when that is what ``error`` or one of its causes tells; else None."""
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno in _TOLD:
            return _said(each.errno, each.filename)
        if isinstance(each, MemoryError):
            return _said(errno.ENOMEM, None)
        if (told := fault_in(str(each))) is not None:
            return told
    return None


def fault_in(text: str) -> str | None:
    """Say what the machine refused, when the message of an error (Python's, SQLite's, a library's) tells it."""
    if _SQLITE_FULL in text:
        return _said(errno.ENOSPC, None)
    match = _NUMBER.search(text)
    return _said(int(match[1]), match[2]) if match and int(match[1]) in _TOLD else None


def transient(error: BaseException | None) -> bool:
    """Whether ``error``, or what caused it, is of the network: no connection, no answer in time, a server in trouble.

    A file that isn't there, a refused access or a broken content don't pass by waiting.
    """
    for each in _chain(error):
        names = {kind.__name__ for kind in type(each).__mro__}
        if isinstance(each, (ConnectionError, TimeoutError)) or _CLIENTS_WITHOUT_ANSWER & names:
            return True
        code = getattr(each, "status", None) or getattr(getattr(each, "response", None), "status_code", None)
        if isinstance(code, int) and (code == _TOO_MANY_REQUESTS or code in _SERVER_ERRORS):
            return True
    return False


def _said(number: int, place: object) -> str:
    return _TOLD[number].format(where=f" : {place}" if place else "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
