"""The public site behind a real nginx, as shipped: types, charset, caching, headers, nothing but its own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests
from fixtures.made_release import made_release, row, site
from front import nginx

from pipelines.portal.site import build_site

pytestmark = pytest.mark.e2e

Ask = Callable[..., requests.Response]
ADDRESS = "https://www.resultats.example.fr"


@pytest.fixture(scope="module")
def ask(tmp_path_factory) -> Iterator[Ask]:
    folder = tmp_path_factory.mktemp("site-public")
    release = made_release(folder, [row(2024, 70.0), site("G0", 2024, 50.0), site("é 1", 2024, 51.0)])
    (release / "resultats.csv").write_text("valeur\n70\n", encoding="utf-8")
    shown = folder / "output" / "site"
    build_site(release, shown, address=ADDRESS)
    (shown / "affiches" / "caf").mkdir(parents=True)
    (shown / "affiches" / "caf" / "G0.pdf").write_bytes(b"%PDF-1.7\n")
    (shown / ".en-cours-").write_text("brouillon", encoding="utf-8")
    (folder / "output" / "secret.txt").write_text("secret", encoding="utf-8")
    with nginx(folder, "site.conf", {}) as (address, authority):

        def asked(path: str, **headers: str) -> requests.Response:
            return requests.get(f"{address}/{path}", headers=headers, verify=str(authority), timeout=10)

        yield asked


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("", "text/html; charset=utf-8"),
        ("structures/caf/G0.html", "text/html; charset=utf-8"),
        ("structures/caf/~C3~A9~201.html", "text/html; charset=utf-8"),
        ("structures/caf/G0.csv", "text/csv; charset=utf-8"),
        ("structures/caf/G0/taux-decroche.svg", "image/svg+xml; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("site.js", "text/javascript; charset=utf-8"),
        ("recherche/0.js", "text/javascript; charset=utf-8"),
        ("donnees/latest/resultats.parquet", "application/vnd.apache.parquet"),
        ("donnees/latest/datapackage.json", "application/json; charset=utf-8"),
        ("nouveautes.atom", "application/atom+xml; charset=utf-8"),
        ("sitemap.xml", "text/xml; charset=utf-8"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("affiches/caf/G0.pdf", "application/pdf"),
    ],
)
def test_every_kind_of_file_has_its_type_and_every_header(ask, path, kind):
    answer = ask(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert answer.headers["Server"] == "nginx"
    assert ("default-src 'none'" in answer.headers.get("Content-Security-Policy", "")) is (not path.endswith(".pdf"))
    shared = path.endswith((".csv", ".svg", ".parquet", ".json", ".atom"))
    assert answer.headers.get("Access-Control-Allow-Origin") == ("*" if shared else None)
    assert ask(path, **{"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_an_unknown_address_has_the_page_of_the_site(ask):
    for path in ("structures/caf/personne.html", "a/b/c/d"):
        answer = ask(path)
        assert answer.status_code == 404
        assert "Page introuvable" in answer.text and f'href="{ADDRESS}/style.css"' in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["structures/", "structures/caf/", "affiches/caf/", ".en-cours-", "..%2fsecret.txt", "recherche/"]
)
def test_no_folder_is_listed_and_nothing_else_is_shown(ask, path):
    answer = ask(path)
    assert answer.status_code in (400, 403, 404)
    assert not any(words in answer.text for words in ("G0", "brouillon", "secret"))


def test_texts_are_sent_compressed(ask):
    assert ask("structures/caf/G0.html").headers["Content-Encoding"] == "gzip"
    assert ask("structures/caf/G0/taux-decroche.svg").headers.get("Content-Encoding", "gzip") == "gzip"
