"""What the data team is shown of a network-year beside its files: rows of small tables, nothing personal or secret."""

from collections import Counter

import pandas as pd

from pipelines.compile.exports import label_of
from pipelines.declarations import Catalogue, Export, Layout, Network
from pipelines.declarations.statuses import REASONS
from pipelines.flow.compute import shown_results
from pipelines.flow.gather import accounts_of_verdict
from pipelines.flow.state import Reception
from pipelines.flow.store import Store
from pipelines.mechanics.french import counted, number
from pipelines.validate import Verdict, count_findings
from pipelines.validate.personal import RULE as PERSONAL

Rows = list[dict[str, object]]
WORTH_TELLING = 10  # the part of the declared limit (1/10) from which refused rows are told as a warning
SEEN = 6  # columns of a preview: what a page has room for
_LEVELS = ("national", "region", "departement", "site")  # from the widest


def first_rows(frame: pd.DataFrame, count: int = 10) -> Rows:
    """Return the first rows of a frame; what is missing is empty."""
    shown = frame.head(count).astype("object")
    rows = shown.where(shown.notna(), "").to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def file_rows(reception: Reception) -> Rows:
    """Return the files received, and the exports that sent none."""
    rows: Rows = []
    for name, files in reception.exports.items():
        if not files:
            rows.append({"export": name, "fichier": "*absent*", "octets": "", "nouvelle": "", "empreinte": ""})
        rows += [
            {
                "export": name,
                "fichier": file.path,
                "octets": file.size,
                "nouvelle": file.news,
                "empreinte": f"`{file.sha256[:12]}`",
            }
            for file in files
        ]
    return rows


def in_brief(verdicts: list[Verdict]) -> str:
    """Say in a sentence or two what became of the exports (French)."""
    sentences = []
    for verdict in verdicts:
        sentence = f"{verdict.export} : {verdict.state}"
        if verdict.rows:
            refused = counted(verdict.refused, "ligne refusée", "lignes refusées")
            sentence += f", {refused} sur {number(verdict.rows)}"
        sentences.append(sentence + (f". {verdict.explanation}" if verdict.explanation else ""))
    return " ; ".join(sentences) or "aucun export n'est attendu"


def verdict_rows(verdicts: list[Verdict]) -> Rows:
    """Return what became of each export."""
    return [
        {
            "export": verdict.export,
            "état": verdict.state,
            "lues": verdict.rows,
            "acceptées": verdict.accepted,
            "refusées": verdict.refused,
            "explication": verdict.explanation,
        }
        for verdict in verdicts
    ]


def finding_rows(verdicts: list[Verdict]) -> Rows:
    """Return the findings, counted by export, column and rule."""
    return [
        {
            "export": row["export"],
            "colonne": row["colonne"] or "",
            "règle": row["regle"],
            "nombre": row["nombre"],
            "lignes": f"{row['premiere_ligne'] or ''}–{row['derniere_ligne'] or ''}",
            "message": row["message"],
        }
        for row in count_findings(verdicts)
    ]


def near_its_limit(declared: Network, verdict: Verdict) -> bool:
    """Whether an export comes near the share of rows that would refuse it."""
    export = declared.export(verdict.export)
    limit = (declared.acceptance_of(export) if export else declared.acceptance).max_refused_share
    return verdict.refused > limit / WORTH_TELLING * verdict.rows


def personal_columns(verdicts: list[Verdict]) -> Counter[str]:
    """Count the rows of columns that seem to hold personal data; their values are not told."""
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        for _, _, finding in verdict.findings:
            if finding.rule == PERSONAL:
                counts[f"{verdict.export} : {finding.column}"] += finding.count
    return counts


def first_observations(catalogue: Catalogue, network: str, year: int, verdict: Verdict) -> Rows:
    """Return the first observations of an accepted export, without any column that may be personal."""
    export = catalogue.networks[network].export(verdict.export)
    if verdict.observations is None or export is None:
        return []
    columns = shown_columns(export, export.layout_or_last(year), verdict)[:SEEN]
    return first_rows(verdict.observations.head(5).select(columns).to_pandas())


def shown_columns(export: Export, layout: Layout, verdict: Verdict) -> list[str]:
    """Return the columns to show: none that may hold personal data, nor any that is made of one.

    Of users' experiences, whose texts may be in any column of a damaged file: closed lists and dates alone.
    """
    if export.kind == "experiences":
        closed = [field.name for field in export.fields if field.constraints.enum or field.type == "date"]
        return ["_ligne", *closed, "_annee"]
    labels = {finding.column for _, _, finding in verdict.findings if finding.rule == PERSONAL}
    shown = [field for field in export.fields if not field.personal and label_of(field, layout) not in labels]
    names = {field.name for field in shown}
    made_of = {
        "_periode": export.period.field,
        "_maille": export.level.field,
        "_territoire": export.territory.field if export.territory else None,
        "_structure": export.structure.code if export.structure else None,
    }
    coordinates = [column for column, source in made_of.items() if source is None or source in names]
    return ["_ligne", *(field.name for field in shown), *coordinates, "_annee"]


def result_sources(catalogue: Catalogue, network: str) -> dict[str, list[str]]:
    """Return, by column of the results of a network, the columns of the observations that it is made of, as declared.

    The observations' columns are named as ``observed_name`` does.
    """
    declared, sources = catalogue.networks[network], dict[str, dict[str, None]]()
    for indicator in catalogue.indicators_of(network).values():
        feed = indicator.networks[network]
        for export in (export for export in declared.exports if export.id in feed.export):
            places = [("periode", export.period.field), ("maille", export.level.field)]
            if export.territory:
                places.append(("territoire_code", export.territory.field))
            if export.structure:
                places += [("structure_code", export.structure.code), ("structure", export.structure.name)]
            places.append(("effectif_pondere", export.weight))
            places += [("valeur", field) for field in (*feed.inputs.values(), *feed.where)]
            for name, field in places:
                if field:
                    sources.setdefault(name, {})[observed_name(declared, export, field)] = None
    return {name: list(fields) for name, fields in sources.items()}


def observed_name(declared: Network, export: Export, field: str) -> str:
    """Name a column of the observations of a network; those of several exports are told apart by the export's name."""
    return field if len(declared.exports) == 1 else f"{export.id}.{field}"


def base_rows(catalogue: Catalogue, store: Store, network: str, year: int) -> Rows:
    """Tell, indicator by indicator, the rows accepted, in the base, and out of it and why."""
    rows: Rows = []
    for account in accounts_of_verdict(store.read(network, year).verdict):
        indicator = catalogue.indicators.get(account["indicateur"])
        why = " ; ".join(f"{words} ({account[name]})" for name, words in REASONS.items() if account[name])
        rows.append(
            {
                "indicateur": indicator.title if indicator else account["indicateur"],
                "export": account["export"],
                "acceptées": account["lignes_acceptees"],
                "dans la base": account["lignes_base"],
                "hors de la base": why or "aucune",
            }
        )
    return rows


def spread(results: pd.DataFrame) -> Rows:
    """Return, of each indicator, how the values of the year spread: lowest, median, highest, and the national one."""
    yearly = _yearly(results)
    rows: Rows = []
    for name, found in yearly.groupby("indicateur", sort=True):
        values, national = found["valeur"], found.loc[found["maille"] == "national", "valeur"]
        rows.append(
            {
                "indicateur": name,
                "valeurs": len(values),
                "minimum": f"{values.min():g}",
                "médiane": f"{values.median():g}",
                "maximum": f"{values.max():g}",
                "national": f"{national.iloc[0]:g}" if len(national) else "",
            }
        )
    return rows


def series(store: Store, catalogue: Catalogue, network: str) -> Rows:
    """Return the yearly values of a network at the widest level: a row for each indicator, a column for each year.

    The level of an indicator is the same for all years: where it has no value one year, there is none. Of a level of
    several places, the median is shown, and the indicator's name says so.
    """
    frames = []
    for year in catalogue.networks[network].years:
        if len(found := shown_results(store, network, year)):
            frames.append(_yearly(found)[["indicateur", "maille", "valeur"]].assign(annee=year))
    values = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    if values.empty:
        return []
    rank = values["maille"].map({level: rank for rank, level in enumerate(_LEVELS)})
    widest = values[rank == rank.groupby(values["indicateur"]).transform("min")]
    names = widest["indicateur"].where(
        widest["maille"] == "national", widest["indicateur"] + " (médiane, " + widest["maille"] + ")"
    )
    table = widest.assign(indicateur=names).pivot_table(
        index="indicateur", columns="annee", values="valeur", aggfunc="median"
    )
    written = table.map(lambda value: "" if pd.isna(value) else f"{value:g}")
    return first_rows(written.reset_index(), len(written))


def _yearly(results: pd.DataFrame) -> pd.DataFrame:
    return results[(results["frequence"] == "annuelle") & results["valeur"].notna()]
