"""The public site of a synthetic release: pages per second, memory, a second build, one network changed.

``python benchmarks/site.py [--offices 15000] [--networks 20] [--indicators 10] [--years 8]``. Each build is a process
of its own, so that memory is its own; values are invented, the same ones each time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MAINLAND = [f"{number:02d}" for number in range(1, 96) if number != 20]
DEPARTMENTS = [*MAINLAND, "2A", "2B", "971", "972", "973", "974", "976"]


def main() -> None:
    """Make two releases that differ by one network; build the site of one, again, then of the other."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="banc-site-", dir=options.folder) as folder:
        home = Path(folder)
        for version, changed in (("1.0.0", False), ("1.0.1", True)):
            _made(home / version, options, changed=changed)
        for name, version in (("site entier", "1.0.0"), ("rien de nouveau", "1.0.0"), ("un réseau changé", "1.0.1")):
            _told(name, _child(home / version, home / "site"))
        weight = sum(path.stat().st_size for path in (home / "site").rglob("*") if path.is_file())
        heaviest = max((home / "site").rglob("*.html"), key=lambda path: path.stat().st_size)
        largest = heaviest.stat().st_size / 1e3
        print(f"{weight / 1e6:.0f} Mo en tout ; page la plus lourde {largest:.0f} ko ({heaviest.name})")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name, value in (("offices", 15_000), ("networks", 20), ("indicators", 10), ("years", 8)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--folder", help="where to work (the temporary folder)")
    return parser.parse_args()


def _child(release: Path, site: Path) -> dict[str, float]:
    """Build in a process of its own; return what it measured."""
    command = [sys.executable, __file__, "--build", str(release), str(site)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _build(release: Path, site: Path) -> None:
    from pipelines.portal.site import build_site

    began, used = time.perf_counter(), time.process_time()
    built = build_site(release, site)
    pages = sum(address.endswith(".html") for address in built.written)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    told = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - used, "memory": memory}
    print(json.dumps(told | {"files": len(built.written), "pages": pages}))


def _told(name: str, found: dict[str, float]) -> None:
    speed = found["pages"] / found["cpu"] if found["pages"] else 0
    print(
        f"{name} : {found['cpu']:.1f} s de processeur ({found['seconds']:.1f} s), {found['memory']:.0f} Mo, "
        f"{found['files']:.0f} fichiers écrits dont {found['pages']:.0f} pages ({speed:.0f} pages/s)"
    )


def _made(folder: Path, options: argparse.Namespace, *, changed: bool) -> None:
    """Write the release: offices in départements, their territories, and France; yearly rows alone."""
    import duckdb

    from pipelines.compile.table_schema import arrow_schema
    from pipelines.declarations import load

    folder.mkdir(parents=True)
    tables = load(PROJECT / "schemas").tables
    con = duckdb.connect()
    con.execute("CREATE TABLE d AS SELECT unnest(?::VARCHAR[]) AS code", [DEPARTMENTS])
    con.execute("CREATE TABLE deps AS SELECT code, row_number() OVER () - 1 AS rank FROM d")
    per_network = options.offices // options.networks
    held = f"""
        SELECT n AS reseau_n, 'site' AS maille, 'S' || n || '-' || o AS structure_code,
          'Guichet n° ' || o || ' de Saint-Essai-' || o AS structure, deps.code AS territoire_code
        FROM range({options.networks}) AS t(n), range({per_network}) AS u(o)
        JOIN deps ON rank = o % {len(DEPARTMENTS)}
        UNION ALL SELECT n, 'departement', NULL, NULL, deps.code FROM range({options.networks}) AS t(n), deps
        UNION ALL SELECT n, 'national', NULL, NULL, 'FR' FROM range({options.networks}) AS t(n)"""
    changed_by = "CASE WHEN reseau_n = 0 THEN 1.5 ELSE 0 END" if changed else "0"
    columns = {
        "annee": "annee", "periode": "annee::VARCHAR", "frequence": "'annuelle'", "reseau": "'reseau-' || reseau_n",
        "structure_code": "structure_code", "structure": "structure", "maille": "maille",
        "territoire_code": "territoire_code", "territoire": "'Territoire ' || territoire_code",
        "indicateur": "'indicateur-' || i", "type_indicateur": "'satisfaction'", "unite": "'%'",
        "valeur": "CASE WHEN h % 50 = 0 THEN NULL ELSE 60 + h % 300 / 10.0 - x END",
        "borne_basse": "CASE WHEN h % 50 = 0 THEN NULL ELSE 57 + h % 300 / 10.0 - x END",
        "borne_haute": "CASE WHEN h % 50 = 0 THEN NULL ELSE 63 + h % 300 / 10.0 - x END",
        "effectif": "CASE WHEN h % 50 = 0 THEN NULL ELSE 50 + h % 900 END",
        "statut_observation": "CASE WHEN h % 50 = 0 THEN 'Q' ELSE 'A' END",
        "statut_confidentialite": "CASE WHEN h % 50 = 0 THEN 'C' ELSE 'F' END",
        "motif_absence": "CASE WHEN h % 50 = 0 THEN 'secret statistique' END", "comparable": "h % 50 <> 0",
        "evolution": "CASE WHEN h % 50 = 0 THEN NULL ELSE 0.4 END", "evolution_significative": "h % 7 = 0",
        "mode_obtention": "'estimation'", "source": "'reseau/enquete'", "nature_donnees": "'synthétiques'",
        "version_publication": "'1.0.0'",
    }  # fmt: skip
    selected = ", ".join(
        f"{columns.get(field.name, 'NULL')} AS {field.name}" for field in arrow_schema(tables["resultats"])
    )
    con.execute(
        f"COPY (SELECT {selected} FROM (SELECT *, hash(reseau_n, maille, structure_code, territoire_code, i, annee) "
        f"% 100000 AS h, {changed_by} AS x FROM ({held}), range({options.indicators}) AS v(i), "
        f"range(2025 - {options.years}, 2025) AS w(annee))) TO '{folder}/resultats.parquet' (FORMAT parquet)"
    )
    _write_texts(folder, options, tables)


def _write_texts(folder: Path, options: argparse.Namespace, tables: object) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    from pipelines.compile.table_schema import arrow_schema

    common = {"type_indicateur": "satisfaction", "population": "usagers", "unite": "%", "famille_unite": "taux"}
    common |= {"sens": "hausse", "estimateur": "share", "mode_annuel": "réponses", "mailles": "site", "reseaux": "tous"}
    rows = {
        "indicateurs": [
            {"indicateur": f"indicateur-{i}", "titre": f"Indicateur {i}", "definition": "Part des usagers. " * 10,
             "decimales": 1, **common} for i in range(options.indicators)
        ],
        "reseaux": [
            {"reseau": f"reseau-{n}", "titre": f"Réseau {n}", "producteur": "Essai", "description": "Essai.",
             "typologie": "Guichet", "maille_fine": "site", "premiere_annee": 2017, "derniere_annee": 2024,
             "licence": "lov2"} for n in range(options.networks)
        ],
    }  # fmt: skip
    for name, held in rows.items():
        parquet.write_table(pa.Table.from_pylist(held, arrow_schema(tables[name])), folder / f"{name}.parquet")  # type: ignore[index]
    held_tables = sorted(path.stem for path in folder.glob("*.parquet"))
    described = {"format": "csv", "bytes": 0, "hash": "", "schema": {"fields": [], "primaryKey": []}}
    resources = [{"name": name, "title": name, "path": f"{name}.csv", **described} for name in held_tables]
    content = {"name": "banc", "title": "Banc d'essai", "synthetic": True, "resources": resources}
    (folder / "datapackage.json").write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        _build(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
