#!/usr/bin/env bash
# Installs what is in the directory of this script, or updates it: the watcher, or a node's node_exporter. Run it as
# root, as often as you like.
#
#   install.sh                  archives of releases come from github.com, where this machine lacks one
#   install.sh --archives DIR   they come from a folder, which has a file sha256sums.txt too
#
# It checks a new configuration with the new programs before it replaces anything, and goes back to the old one where a
# service does not take the new one. Exit codes: 0 all is as the directory says; 1 it is not, and the last line says why.
set -euo pipefail
shopt -s nullglob
umask 022 # what the services' users read is below folders of root

directory=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -e $directory/units/promfleet-node-exporter.service ]]; then
  readonly PRODUCT=promfleet-node-exporter SERVICES=node-exporter
else
  readonly PRODUCT=promfleet-watcher SERVICES="alertmanager blackbox-exporter prometheus"
fi
readonly ETC=/etc/$PRODUCT OPT=/opt/$PRODUCT UNITS=/etc/systemd/system
readonly UPSTREAM=https://github.com/prometheus
readonly PATIENCE=600 # seconds
readonly REPLAY=3600  # seconds in which Prometheus, while it says that it is not ready, reads its write-ahead log

archives=
changes=0
declare -A release staged

die() {
  echo "install.sh: $*" >&2
  exit 1
}

changed() {
  echo "$*"
  changes=$((changes + 1))
}

# --- programs ---------------------------------------------------------------------------------------------------------

read_releases() {
  local program version
  while IFS='=' read -r program version; do
    release[$program]=$version
  done <"$directory/releases"
}

architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) die "there are archives for x86_64 and aarch64, and this machine is $(uname -m)" ;;
  esac
}

home_of() { # PROGRAM
  echo "$OPT/$1-${release[$1]}"
}

# Verifies the archive of a program and unpacks it beside the place where it will be.
unpack() { # PROGRAM ARCHITECTURE
  local program=$1 name=$1-${release[$1]}.linux-$2.tar.gz folder=$work/$1 url sum
  mkdir -p "$folder/unpacked"
  if [[ $archives ]]; then
    cp "$archives/$name" "$folder/" || die "$archives lacks $name"
    cp "$archives/sha256sums.txt" "$folder/" || die "$archives lacks sha256sums.txt, which upstream publishes"
  else
    url=$UPSTREAM/$program/releases/download/v${release[$program]}
    for file in sha256sums.txt "$name"; do
      curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 3 --output "$folder/$file" \
        "$url/$file" || die "can't fetch $url/$file; on a closed network use --archives"
    done
  fi
  sum=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1; exit }' "$folder/sha256sums.txt")
  [[ $sum ]] || die "sha256sums.txt has no line for $name"
  echo "$sum  $folder/$name" | sha256sum --check --status || die "$name has another checksum than sha256sums.txt says"
  tar --extract --gzip --file "$folder/$name" --directory "$folder/unpacked" --strip-components=1 --no-same-owner
  chmod -R u=rwX,go=rX "$folder/unpacked"
  "$folder/unpacked/$program" --version >/dev/null 2>&1 || die "$program of $name does not run on this machine"
}

install_programs() {
  local program machine
  local missing=()
  machine=$(architecture)
  for program in "${!release[@]}"; do
    [[ -d $(home_of "$program") ]] || missing+=("$program")
  done
  # All are verified before the first is installed.
  for program in "${missing[@]}"; do
    unpack "$program" "$machine"
  done
  for program in "${missing[@]}"; do
    mv -T "$work/$program/unpacked" "$(home_of "$program")"
    changed "$program ${release[$program]}: installed in $(home_of "$program")"
  done
}

make_users() {
  local user
  for user in prometheus alertmanager node-exporter; do
    if wants "$user" && ! getent passwd "$user" >/dev/null; then
      useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
      changed "user $user: made"
    fi
  done
}

# Tells whether the directory has files of a service; what is in it without being listed is of an earlier copy.
wants() { # SERVICE
  grep --quiet "^$1/" "$directory/files.txt"
}

# --- configuration ----------------------------------------------------------------------------------------------------

# Copies the configuration of a service beside the one in use; only the service's own user reads it.
stage() { # SERVICE
  local new
  [[ ! -e $ETC/$1 || -L $ETC/$1 ]] || die "$ETC/$1 was not made by this script; move it away"
  new=$(mktemp --directory "$ETC/.$1.XXXXXX")
  grep "^$1/" "$directory/files.txt" >"$work/listed"
  tar --create --directory "$directory" --files-from "$work/listed" |
    tar --extract --directory "$new" --strip-components=1 --no-same-owner ||
    die "the directory lacks files that it lists; copy it again"
  case $1 in
    blackbox-exporter) chmod -R u=rwX,go=rX "$new" ;; # systemd invents its user, and there is no secret in it
    *)
      chmod -R u=rwX,go= "$new"
      chown -R "$1:$1" "$new"
      ;;
  esac
  if same "$ETC/$1" "$new"; then
    rm -rf "$new"
  else
    staged[$1]=$new
  fi
}

same() { # FOLDER FOLDER
  [[ -d $1 ]] && diff --recursive --brief "$1/" "$2/" >/dev/null && [[ $(listed "$1") == "$(listed "$2")" ]]
}

listed() { # FOLDER
  find "$1/" -printf '%P %m %u %g\n' | sort
}

# Lets the new programs judge the new configuration as the user that will read it.
check() { # SERVICE
  local folder=${staged[$1]:-$ETC/$1} programs file
  programs=$(home_of "${1//-/_}")
  case $1 in
    prometheus)
      judged "$1" "$programs/promtool" check config "$folder/prometheus.yml"
      if [[ -e $folder/web.yml ]]; then
        judged "$1" "$programs/promtool" check web-config "$folder/web.yml"
      fi
      ;;
    alertmanager) judged "$1" "$programs/amtool" check-config "$folder/alertmanager.yml" ;;
    node-exporter) # has nothing that judges; where it does not start, the old files come back
      while read -r file; do
        setpriv --reuid="$1" --regid="$(id --group "$1")" --clear-groups -- test -r "$file" ||
          die "nothing was replaced, since the user $1 can't read $file"
      done < <(sed -n 's/^ *\(cert\|key\)_file: //p' "$folder/web.yml")
      ;;
    blackbox-exporter) judged nobody "$programs/blackbox_exporter" --config.check --config.file="$folder/config.yml" ;;
  esac
}

judged() { # USER COMMAND…
  local user=$1 said
  shift
  said=$(setpriv --reuid="$user" --regid="$(id --group "$user")" --clear-groups -- "$@" 2>&1) ||
    die "nothing was replaced, since the new configuration is wrong: ${said//$'\n'/ }"
}

# One rename gives a service all of its files at once.
point() { # SERVICE FOLDER
  ln --symbolic --force --no-dereference "$(basename "$2")" "$ETC/.$1"
  mv -T "$ETC/.$1" "$ETC/$1"
}

tell_files() { # SERVICE OLD NEW
  local path
  if [[ ! $2 ]]; then
    changed "$1: added its configuration"
    return
  fi
  while read -r path; do
    if [[ ! -e $2/$path ]]; then
      changed "$1: added $path"
    elif [[ ! -e $3/$path ]]; then
      changed "$1: removed $path"
    elif ! cmp --silent "$2/$path" "$3/$path"; then
      changed "$1: changed $path"
    fi
  done < <(find "$2/" "$3/" -type f -printf '%P\n' | sort -u)
}

# --- services ---------------------------------------------------------------------------------------------------------

unit_of() { # SERVICE
  echo "promfleet-$1.service"
}

metric() { # SERVICE NAME
  local ask=(--config "$ETC/prometheus/web.curl")
  case $1 in
    alertmanager) ask=(http://127.0.0.1:9093/metrics) ;;
    blackbox-exporter) ask=(http://127.0.0.1:9115/metrics) ;;
  esac
  curl --silent --fail --max-time 5 "${ask[@]}" | awk -v name="$2" '$1 == name { print $2 }'
}

reloaded() { # SERVICE successful|success_timestamp_seconds
  metric "$1" "${1//-/_}_config_last_reload_$2" || true
}

property() { # SERVICE NAME
  systemctl show --property "$2" --value "$(unit_of "$1")"
}

# Waits until a service that was just started is ready and stays the same process for a second.
is_started() { # SERVICE
  local pid end=$((SECONDS + PATIENCE)) replayed=$((SECONDS + REPLAY))
  while ((SECONDS < end)); do
    pid=$(property "$1" MainPID)
    if [[ $(property "$1" NRestarts) != 0 || $(property "$1" ActiveState) == failed ]]; then
      return 1
    elif is_ready "$1" && sleep 1 && is_ready "$1" && [[ $(property "$1" MainPID) == "$pid" ]]; then
      return 0
    elif [[ $1 == prometheus && $(metric "$1" prometheus_ready || true) == 0 ]]; then
      end=$replayed
    fi
    sleep 0.2
  done
  return 1
}

is_ready() { # SERVICE
  case $1 in
    prometheus) [[ $(metric "$1" prometheus_ready || true) == 1 ]] ;;
    node-exporter) curl --silent --output /dev/null --max-time 5 --config "$ETC/$1/ready.curl" ;; # 401 will do
    *) [[ $(reloaded "$1" successful) == 1 ]] ;;
  esac
}

restarts() { # SERVICE
  local unit
  unit=$(unit_of "$1")
  systemctl enable --quiet "$unit"
  systemctl stop "$unit"
  systemctl reset-failed "$unit" 2>/dev/null || true # else systemd's own restarts of before count as failed starts
  systemctl start "$unit" && is_started "$1"
}

# Tells whether a running service took a changed configuration; an answer may be missing where a machine is busy.
reloads() { # SERVICE
  local before='' now was end=$((SECONDS + PATIENCE))
  until [[ $before ]] || ((SECONDS >= end)); do
    before=$(reloaded "$1" success_timestamp_seconds)
    sleep 0.2
  done
  was=$(reloaded "$1" successful)
  systemctl reload "$(unit_of "$1")" || return 1
  while ((SECONDS < end)); do
    now=$(reloaded "$1" success_timestamp_seconds)
    if [[ $now && $now != "$before" ]]; then
      return 0
    elif [[ $was == 1 && $(reloaded "$1" successful) == 0 ]]; then
      return 1
    fi
    sleep 0.2
  done
  return 1
}

# Brings one service to what the directory says, or back to what it was.
update() { # SERVICE
  local unit new=${staged[$1]:-} old='' unit_was=same how=restarts did=restarted
  unit=$(unit_of "$1")
  [[ ! -L $ETC/$1 ]] || old=$ETC/$(readlink "$ETC/$1")
  if [[ ! -e $UNITS/$unit ]]; then
    unit_was=missing
  elif ! cmp --silent "$directory/units/$unit" "$UNITS/$unit"; then
    unit_was=different
    cp --preserve "$UNITS/$unit" "$work/$unit"
  fi
  if ! systemctl is-active --quiet "$unit"; then
    did=started
  elif [[ $unit_was == same && ! $new ]]; then
    return
  elif [[ $unit_was == same && $1 != node-exporter ]]; then # which has no reload
    how=reloads did=reloaded
  fi
  if [[ $unit_was != same ]]; then
    install --mode=0644 "$directory/units/$unit" "$UNITS/$unit"
    systemctl daemon-reload
  fi
  [[ ! $new ]] || point "$1" "$new"
  "$how" "$1" || go_back "$1" "$old" "$how"
  [[ ! $new ]] || tell_files "$1" "$old" "$new"
  case $unit_was in
    missing) changed "$1: added $unit" ;;
    different) changed "$1: changed $unit" ;;
  esac
  changed "$1: $did"
  [[ ! $new || ! $old ]] || rm -rf "$old"
}

go_back() { # SERVICE OLD_FOLDER restarts|reloads
  local unit log
  unit=$(unit_of "$1")
  log="journalctl --unit $unit"
  if [[ ! $2 ]]; then
    systemctl disable --quiet --now "$unit" || true
    die "$1 does not start; it is stopped, and there is nothing to go back to. See $log"
  fi
  point "$1" "$2"
  if [[ -e $work/$unit ]]; then
    install --mode=0644 "$work/$unit" "$UNITS/$unit"
    systemctl daemon-reload
  fi
  if [[ $3 == reloads ]] && systemctl is-active --quiet "$unit"; then
    systemctl reload "$unit" || true
    die "$1 refused the new configuration; it goes on with the old one. See $log"
  fi
  restarts "$1" || die "$1 starts neither with the new files nor with the old ones. See $log"
  die "$1 did not start with the new files; it runs again with the old ones. See $log"
}

# Takes away a service that the directory no longer has; what it stored stays.
remove() { # SERVICE
  local unit
  unit=$(unit_of "$1")
  if [[ -e $UNITS/$unit ]]; then
    systemctl disable --quiet --now "$unit"
    rm "$UNITS/$unit"
    systemctl daemon-reload
    changed "$1: removed $unit; what it stored below /var/lib stays"
  fi
  if [[ -L $ETC/$1 ]]; then
    rm -rf "${ETC:?}/$(readlink "$ETC/$1")" "${ETC:?}/$1"
    changed "$1: removed its configuration"
  fi
}

# What a run left that was ended halfway.
sweep() {
  local folder service
  for service in $SERVICES; do
    for folder in "$ETC/.$service."*; do
      [[ $(readlink "$ETC/$service" || true) == "$(basename "$folder")" ]] || rm -rf "$folder"
    done
  done
}

main() {
  local service
  while (($#)); do
    case $1 in
      --archives)
        (($# > 1)) || die "--archives needs a folder"
        archives=$(cd "$2" && pwd) || die "there is no folder $2"
        shift 2
        ;;
      *) die "unknown option $1; the only one is --archives DIR" ;;
    esac
  done
  ((EUID == 0)) || die "needs root"
  [[ -d /run/systemd/system ]] || die "needs systemd, which does not run on this machine"
  for tool in awk cmp curl diff find flock setpriv sha256sum tar useradd; do
    command -v "$tool" >/dev/null || die "needs $tool, which is not installed"
  done
  exec 9>/run/$PRODUCT.lock
  flock --nonblock 9 || die "runs already"
  mkdir -p "$ETC" "$OPT"
  work=$(mktemp --directory "$OPT/.work.XXXXXX")
  trap 'rm -rf "$work"; sweep' EXIT

  read_releases
  install_programs
  make_users
  for service in $SERVICES; do
    if wants "$service"; then
      stage "$service"
      check "$service"
    fi
  done
  for service in $SERVICES; do
    if wants "$service"; then
      update "$service"
    else
      remove "$service"
    fi
  done
  ((changes)) || echo "nothing to change"
}

main "$@"
