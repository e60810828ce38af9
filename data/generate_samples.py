"""Rewrite data/samples: invented files with the traits of real ones, always the same. No real data is read here.

``python data/generate_samples.py [--output DIR]``; what each file holds is decided in ``generator``, by network.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from generator import (
    assurance_maladie,
    barometre,
    barometres,
    caf,
    dgfip,
    experiences,
    france_travail,
    franceagrimer,
    gendarmerie,
    prefectures,
    universites,
)
from generator.writers import Sample

NETWORKS = (
    caf, dgfip, france_travail, assurance_maladie, gendarmerie, prefectures, barometre, universites, franceagrimer,
    barometres, experiences,
)  # fmt: skip
MARKER = "provenance.yml"
STATEMENT = (
    "Toutes les données de ce dossier sont synthétiques : inventées par un programme, elles ne décrivent aucun "
    "service, aucun usager ni aucun résultat réel."
)
PROVENANCE = f"""# Ce que disent d'elles-mêmes les données de ce dossier ; toute publication qui en est faite le répète.
synthetic: true
statement: >-
  {STATEMENT}
"""
README = f"""# Échantillons fictifs

**{STATEMENT}**

Les noms de bureaux qu'on y lit (« CAF du Gard (données fictives) », « Université fictive A ») ne désignent
personne : seuls les codes et les noms des départements et des régions sont vrais. Les valeurs sont tirées au
hasard, y compris dans les fichiers qui suivent la présentation du baromètre des résultats ou de l'enquête sur
l'insertion des diplômés. Les présentations des fichiers de CAF, DGFiP, France Travail, assurance maladie,
gendarmerie, préfectures et FranceAgriMer sont elles-mêmes imaginées. Ces fichiers servent à essayer la chaîne et à
la tester, jamais à parler d'un service public.

Ils sont écrits par `python data/generate_samples.py`, toujours à l'identique : ne pas les modifier à la main.

Des défauts y sont placés exprès. « Lignes refusées » compte les lignes que le contrôle doit écarter ; « tout » veut
dire que le fichier entier est refusé.

| fichier | ce qu'il montre | lignes refusées |
|---|---|---|
{{lines}}

Manquent exprès : les fichiers 2023 des préfectures.
"""


def samples() -> list[Sample]:
    """Return every sample file, in order of path."""
    return sorted((sample for network in NETWORKS for sample in network.samples()), key=lambda sample: sample.path)


def readme(files: list[Sample]) -> str:
    """Return LISEZMOI.md, which lists the files and their faults."""
    lines = [
        f"| `{file.path}` | {file.shows} | {_refused(file)} |"
        for file in files
    ]  # fmt: skip
    return README.format(lines="\n".join(lines))


def _refused(file: Sample) -> str:
    if not file.whole_file_refused:
        return str(file.refused)
    return f"tout ({file.refused} lignes fausses)" if file.refused else "tout"


def write(output: Path) -> None:
    """Replace ``output`` by the generated files; a folder that is not one of ours is left alone."""
    files = samples()
    if output.is_dir() and any(output.iterdir()):
        if not (output / MARKER).is_file():
            raise SystemExit(f"{output} : dossier non vide sans {MARKER}, rien n'y est écrit")
        shutil.rmtree(output)
    for file in files:
        target = output / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
    (output / "LISEZMOI.md").write_bytes(readme(files).encode())
    (output / MARKER).write_bytes(PROVENANCE.encode())


def main() -> None:
    """Read the command line and write the samples."""
    parser = argparse.ArgumentParser(description="Rewrite the invented sample files.")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "samples", help="folder to replace")
    write(parser.parse_args().output)


if __name__ == "__main__":
    main()
