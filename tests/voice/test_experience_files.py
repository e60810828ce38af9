"""Files of users' texts as they come: names of columns glued together, services that are not declared."""

import csv

from pipelines.cli import main

NETWORK = ("--network", "services-publics-plus", "--export", "experiences", "--year", "2024")


def with_header(samples, tmp_path, change):
    path = samples / "experiences" / "experiences-2024.csv"
    header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter=";")
    place = tmp_path / "experiences-2024.csv"
    with place.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([change(header), *rows[:50]])
    return str(place)


def glued(header):
    place = header.index("Posté comme")
    return [*header[:place], "\t".join(header[place : place + 2]), *header[place + 2 :]]


def test_names_kept_together_are_two_columns_and_it_is_told(samples, tmp_path, capsys):
    assert main(["validate", with_header(samples, tmp_path, glued), *NETWORK]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "acceptées : 50" in told and "Deux noms de colonnes sont dans une seule cellule" in told


def test_names_that_are_not_declared_stay_together(samples, tmp_path, capsys):
    def change(header):
        return [label.replace("Posté comme", "Posté\tcomme quoi") for label in header]

    assert main(["validate", with_header(samples, tmp_path, change), *NETWORK]) == 0
    assert "Deux noms de colonnes" not in capsys.readouterr().out


def test_a_service_that_is_not_declared_is_told_and_refuses_nothing(samples, tmp_path, capsys):
    place = with_header(samples, tmp_path, lambda header: header)
    path = tmp_path / "experiences-2024.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(";CAF;", ";Office du tourisme;"), encoding="utf-8")
    assert main(["validate", place, *NETWORK]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Le service n'est pas l'un de ceux qui sont déclarés" in told and "Office du tourisme" not in told
    assert "valeur masquée : 18 signes" in told  # anything may have been typed there: the rows say where it is
    assert "acceptées : 50 ; refusées : 0" in told


def test_other_spellings_of_a_service_are_not_told(samples, tmp_path, capsys):
    place = with_header(samples, tmp_path, lambda header: header)
    path = tmp_path / "experiences-2024.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(";CAF;", ";caf;"), encoding="utf-8")
    assert main(["validate", place, *NETWORK]) == 0
    assert "Le service n'est pas" not in capsys.readouterr().out
