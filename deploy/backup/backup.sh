#!/bin/bash
# Saves and puts back what a lost machine would take with it: the Dagster instance and the output (archive, work, releases).
# restic keeps it, encrypted, where RESTIC_REPOSITORY says. Settings and promises are in README.md.
#   backup.sh save
#   backup.sh restore [SNAPSHOT] [--replace]
# Exit codes: 0 done, 1 not now or not possible (nothing was changed), 2 wrong usage.
set -euo pipefail
umask 077

readonly KEPT=(--keep-last 5 --keep-daily 30 --keep-monthly 12)
# Names in the output: copies of the instance while it is saved, what is being restored, what was there before, who works.
readonly INSTANCE=.instance DRAFT=.restauration ASIDE=.avant-restauration LOCK=.traitement

fail() {
  echo "sauvegarde : $1" >&2
  exit "${2:-1}"
}

# The value of a setting, or what the file named by its _FILE holds.
setting() {
  local file=${1}_FILE
  if [[ -n ${!file:-} ]]; then cat "${!file}"; else printf %s "${!1:-}"; fi
}

# Sets `state`, the folder of the instance, and `root`, the folder that restic saves: the output, with copies of the
# instance below it meanwhile, so that one snapshot holds both or isn't made. A storage is saved by its own means.
locate() {
  [[ -f ${DAGSTER_HOME:-}/dagster.yaml ]] || fail "DAGSTER_HOME ne désigne pas un dossier qui contient dagster.yaml" 2
  [[ -n ${RESULTATS_OUTPUT:-} ]] || fail "RESULTATS_OUTPUT n'est pas donnée" 2
  state=$(sed -n 's/^ *base_dir: *//p' "$DAGSTER_HOME/dagster.yaml" | head -n 1)
  [[ $state = /* ]] || state=$DAGSTER_HOME/${state:-storage}
  case $RESULTATS_OUTPUT in
    *://*)
      echo "sauvegarde : $RESULTATS_OUTPUT est un stockage, à sauvegarder par ses propres moyens ; ici, l'instance seule"
      root=$DAGSTER_HOME/.sauvegarde
      kind=stockage
      ;;
    /*) root=$RESULTATS_OUTPUT kind=dossier ;;
    *) root=$(realpath "$(dirname "$0")/../..")/$RESULTATS_OUTPUT kind=dossier ;;
  esac
  case ${RESTIC_REPOSITORY:-} in
    "$root"/* | "$state"/*) fail "une sauvegarde ne se met pas dans ce qu'elle sauvegarde : $RESTIC_REPOSITORY" 2 ;;
  esac
}

# Sets `database`, the address of PostgreSQL (empty: SQLite), and completes `kind`, of what may replace one another.
# The password goes by the environment: arguments are public.
locate_database() {
  local password
  database=$(setting RESULTATS_PG_URL)
  password=$(setting RESULTATS_PG_PASSWORD)
  kind="une sortie en $kind, une instance en ${database:+PostgreSQL}"
  if [[ -z $database ]]; then
    kind+=SQLite
    return
  fi
  database=postgresql://${database#*://}
  if [[ $database =~ ^postgresql://([^:@/]*):([^@/]*)@(.*)$ ]]; then
    database=postgresql://${BASH_REMATCH[1]}@${BASH_REMATCH[3]}
    password=${password:-$(printf %b "${BASH_REMATCH[2]//%/\\x}")}
  fi
  if [[ -n $password ]]; then export PGPASSWORD=$password; fi
}

# Holds the output until this script ends, as runs do: it is saved at rest, and never replaced under a run.
hold() {
  [[ -d $root ]] || (umask 022 && mkdir -p "$root") # whoever serves what is public passes; private rooms are closed
  exec 9>>"$root/$LOCK"
  flock --nonblock 9 && [[ $root/$LOCK -ef /dev/fd/9 ]] ||
    fail "un traitement est en cours sur $root : attendre sa fin, puis relancer"
  trap 'rm -rf "$root/$INSTANCE" "$root/$DRAFT" "$state/$DRAFT" "$root/$LOCK"' EXIT
  printf '{"depuis": "%s", "par": "%s", "machine": "%s", "processus": %d}' \
    "$(date --iso-8601=seconds)" "$1" "$(uname -n)" $$ >"$root/$LOCK"
}

# Consistent copies of the databases, even while others write (https://sqlite.org/backup.html), and the other files.
copy_instance() {
  local copy=$root/$INSTANCE name
  rm -rf "$copy"
  mkdir -p "$copy/state"
  echo "$kind" >"$copy/kind"
  if [[ -n $database ]]; then
    # Not compressed: restic compresses, and keeps once what two dumps have in common.
    pg_dump --no-password --dbname="$database" --format=custom --compress=0 --no-owner --no-privileges \
      --file="$copy/postgresql.dump"
  elif [[ ! -f $state/history/runs.db ]]; then
    fail "aucune instance dans $state : corriger DAGSTER_HOME, ou lancer « resultats instance prepare »"
  fi
  [[ -d $state ]] || return 0
  cd "$state"
  find . -type f ! -path '*/.*' ! -name '*.db-*' -printf '%P\0' | while IFS= read -r -d '' name; do
    mkdir -p "$copy/state/$(dirname "$name")"
    case $name in
      *.db) (cd "$copy/state" && sqlite3 -readonly -cmd '.timeout 30000' "$state/$name" ".backup '$name'") ;;
      *) cp --preserve=mode,timestamps "$name" "$copy/state/$name" ;;
    esac
  done
}

save() {
  local snapshot
  hold "resultats, sauvegarde"
  copy_instance
  cd "$root"
  restic unlock --quiet # removes what a killed backup left, and nothing else
  # Hidden files are being written or left over; what is remembered of files judged is made again, and is the largest.
  if ! snapshot=$(restic backup --quiet --json --host resultats --tag resultats --exclude "$root/work/judged" \
    --exclude "$root/**/.?*" --exclude "!$root/$INSTANCE" . | sed -n 's/.*"snapshot_id":"\([0-9a-f]*\)".*/\1/p'); then
    [[ -z $snapshot ]] || restic forget --quiet "$snapshot" # it lacks files that could not be read
    fail "des fichiers ne se lisent pas, ou le dépôt ne s'écrit pas : rien n'est sauvegardé"
  fi
  # A seventh of the repository is read again each day of the week: all of it in a week.
  restic check --quiet --read-data-subset="$(date +%u)/7" ||
    fail "sauvegardé ($snapshot), mais le dépôt ne se relit pas : « restic check --read-data » dit ce qui est abîmé"
  restic forget --quiet --group-by tags --tag resultats "${KEPT[@]}" --prune
  echo "sauvegardé et vérifié : $snapshot"
}

# What a folder holds, but what this script puts there.
content() {
  find "$1" -mindepth 1 -maxdepth 1 ! -name "$DRAFT" ! -name "$ASIDE" ! -name "$LOCK" ! -name "$INSTANCE" "${@:2}"
}

refuse_what_is_there() {
  local folder
  for folder in "$root" "$state"; do
    [[ ! -d $folder || -z $(content "$folder") ]] ||
      fail "$folder n'est pas vide (--replace met de côté ce qui s'y trouve)"
  done
  [[ -z $database ]] || [[ $(psql --no-password --dbname="$database" --tuples-only --no-align --command \
    "select count(*) from information_schema.tables where table_schema = 'public'") = 0 ]] ||
    fail "la base PostgreSQL n'est pas vide (--replace remplace ses tables)"
}

# Moves what a folder held aside, then what is restored into place; the folder itself may be a mount point.
put_in_place() {
  if [[ -n $(content "$2") ]]; then
    rm -rf "${2:?}/$ASIDE"
    mkdir "$2/$ASIDE"
    content "$2" -exec mv --target-directory="$2/$ASIDE" {} +
  fi
  content "$1" -exec mv --target-directory="$2" {} +
}

restore() {
  local snapshot=latest replace='' word room draft saved
  for word; do
    case $word in
      --replace) replace=oui ;;
      -*) fail "option inconnue : $word" 2 ;;
      *) snapshot=$word ;;
    esac
  done
  hold "resultats, restauration"
  [[ -n $replace ]] || refuse_what_is_there
  draft=$root/$DRAFT
  rm -rf "$draft" "${state:?}/$DRAFT"
  mkdir -p "$draft" "$state"
  restic restore --quiet "$snapshot" --tag resultats --target "$draft" --verify ||
    fail "rien n'a été restauré : la sauvegarde $snapshot ne se lit pas en entier"
  saved=$(cat "$draft/$INSTANCE/kind") || fail "rien n'a été restauré : $snapshot ne contient pas d'instance"
  [[ $saved = "$kind" ]] || fail "rien n'a été restauré : la sauvegarde est celle d'$saved ; il y a ici $kind"
  for room in "$draft"/*; do # open to all, and the rest to the service's own account and group
    case ${room##*/} in releases | catalogue | site) ;; *) [[ ! -e $room ]] || chmod -R o-rwx "$room" ;; esac
  done
  cp --archive "$draft/$INSTANCE/state" "$state/$DRAFT" # the state may be on another disk
  if [[ -n $database ]]; then
    pg_restore --no-password --dbname="$database" --no-owner --single-transaction ${replace:+--clean --if-exists} \
      "$draft/$INSTANCE/postgresql.dump" || fail "rien n'a été restauré : la base refuse ces tables"
  fi
  put_in_place "$draft" "$root"
  put_in_place "$state/$DRAFT" "$state"
  echo "restauré : $snapshot"
}

case ${1:-} in
  save | restore)
    [[ -n $(command -v restic) ]] || fail "restic n'est pas installé (paquet restic)"
    locate
    locate_database
    "$@"
    ;;
  *) fail "écrire « backup.sh save » ou « backup.sh restore [SAUVEGARDE] [--replace] »" 2 ;;
esac
