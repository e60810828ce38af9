"""The workbook for people: the yearly results of the last years in words, beside the national value, and the lists.

It holds fewer years when all of them are more than a sheet of Excel, or than the platform shows, can hold: it says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from pyarrow import compute as pc

from pipelines.release.xlsx_rendition import MOST_ROWS, Sheet, write_workbook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pipelines.declarations import Table
    from pipelines.release.written_files import WrittenFile

LISTS = {"indicateurs": "Indicateurs", "reseaux": "Réseaux", "territoires": "Territoires", "structures": "Structures"}
NEEDED = ("resultats", "indicateurs", "reseaux")
# A count isn't compared: France has more of anything than a département. A difference within the interval is none.
_ROWS = """
SELECT s.titre AS "Réseau", i.titre AS "Indicateur", r.annee AS "Année", r.maille AS "Maille",
    r.territoire AS "Territoire", r.structure AS "Structure", r.valeur AS "Valeur", r.unite AS "Unité",
    r.effectif AS "Effectif", r.evolution AS "Évolution sur un an", n.valeur AS "Valeur nationale",
    CASE WHEN r.valeur IS NULL OR n.valeur IS NULL OR i.sens = 'neutre' THEN NULL
         WHEN r.valeur = n.valeur OR n.valeur BETWEEN r.borne_basse AND r.borne_haute THEN 'pas d''écart établi'
         WHEN (r.valeur > n.valeur) = (i.sens = 'hausse') THEN 'mieux' ELSE 'moins bien' END AS "Face au national",
    r.motif_absence AS "Pourquoi sans valeur"
FROM resultats AS r
JOIN reseaux AS s USING (reseau)
JOIN indicateurs AS i USING (indicateur)
LEFT JOIN resultats AS n ON n.reseau = r.reseau AND n.indicateur = r.indicateur AND n.periode = r.periode
    AND n.maille = 'national' AND r.maille <> 'national' AND i.famille_unite <> 'nombre'
WHERE r.frequence = 'annuelle' AND r.annee >= $first
ORDER BY s.titre, i.titre, r.annee DESC, list_position(['national', 'region', 'departement', 'site'], r.maille),
    r.territoire_code, r.structure_code
"""


def write_people_workbook(
    path: Path, tables: Mapping[str, pa.Table], declared: Mapping[str, Table], texts: tuple[str, Sequence[str]],
    more: Sequence[Sheet], *, years: int, most_bytes: float,
) -> WrittenFile:  # fmt: skip
    """Write the workbook of the last ``years``, of fewer when it would be too large; return its facts.

    ``declared``: the tables, whose columns have titles; ``texts``: title and introduction; ``more``: sheets that come
    after the lists.
    """
    lists = [
        Sheet(title, tables[name].rename_columns([column.title for column in declared[name].columns]))
        for name, title in LISTS.items()
        if name in tables
    ]
    title, introduction = texts
    last = pc.max(tables["resultats"]["annee"]).as_py()
    for kept in range(years, 0, -1):
        results = _results(tables, (last or 0) - kept + 1)
        if results.num_rows > MOST_ROWS and kept > 1:
            continue
        notes = [*introduction, *_notes(kept, years)]
        written = write_workbook(path, title, notes, [Sheet("Résultats", results), *lists, *more])
        if written.bytes <= most_bytes:
            break
    return written


def _results(tables: Mapping[str, pa.Table], first: int) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        for name in NEEDED:
            connection.register(name, tables[name])
        return connection.sql(_ROWS, params={"first": first}).to_arrow_table()


def _notes(kept: int, years: int) -> Iterator[str]:
    yield (
        f"La feuille Résultats donne {f'les {kept} dernières années' if kept > 1 else 'la dernière année'} ; "
        "toutes les années, toutes les périodes et toutes les colonnes sont dans les fichiers CSV et Parquet."
    )
    yield (
        "« Face au national » dit mieux ou moins bien d'après le sens de l'indicateur. Un écart que l'intervalle de "
        "confiance couvre n'est pas établi ; un nombre (de dossiers, d'appels…) ne se compare pas à celui de la France."
    )
    if kept < years:
        yield f"Les {years} dernières années n'y tiendraient pas : Excel, ou l'aperçu en ligne, ne le montrerait pas."
