#!/bin/sh
# Repeat the last CASA call of a run of reimage, without reimage; README.md says what to expect.
#
#   ./run.sh              in ./work (work.2, work.3 ... when it is there already; nothing is ever removed)
#
#   REIMAGE_PROGRAM=...   another Python (or casa) of the same CASA
#   REIMAGE_CASADATA=...  its data (ephemerides, geodetic, ...)
#   REIMAGE_RUN=...       where the run directory is now, for data that are not in this folder
#   REIMAGE_WORK=...      another place to work in
#   REIMAGE_CONFINE=no    do not shut the call in: delivered scripts are other people's code
#
# It ends with the exit code of the call: 128 + N when signal N ended it, 124 when it took too long.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
. "$here/call.sh"

say() { printf '%s\n' "$*" >&2; }
tab=$(printf '\t')

work=${REIMAGE_WORK:-$here/work}
case $work in /*) ;; *) work=$PWD/$work ;; esac
number=1 place=$work
while [ -e "$place" ]; do
    number=$((number + 1)) place=$work.$number
done
work=$place run=$place/run job=$place/run/$directory
case $run$here in
*[\|\&\\\"]*)
    say "a place with one of | & \\ \" in its name cannot be used: $run"
    exit 64
    ;;
esac

if ! command -v "$program" >/dev/null 2>&1; then
    say "no CASA here: $program"
    say "$install"
    exit 69
fi

# --- what the call found -------------------------------------------------------------------------------

source_of() { # path, and where it was if that is outside the run directory
    for found in "$here/run/$1" "${2:-$origin/$1}"; do
        if [ -e "$found" ]; then return 0; fi
    done
    return 1
}

missing=0
while IFS=$tab read -r kind path target; do
    case $kind in
    read | copy)
        if ! source_of "$path" "$target"; then
            say "missing: $path"
            missing=$((missing + 1))
        fi
        ;;
    esac
done <"$here/tree.tsv"
if [ "$missing" -gt 0 ]; then
    say "$missing inputs are neither here nor in $origin: README.md, 'Inputs', says how to get them"
    exit 66
fi

mkdir -p "$job/home"
while IFS=$tab read -r kind path target; do
    mkdir -p "$run/$(dirname "$path")"
    case $kind in
    folder) mkdir -p "$run/$path" ;;
    read)
        source_of "$path" "$target"
        [ -e "$run/$path" ] || ln -s "$found" "$run/$path"
        ;;
    copy)
        source_of "$path" "$target"
        cp -RpL "$found" "$run/$path"
        chmod -R u+w "$run/$path"
        ;;
    link) ln -s "$run/$target" "$run/$path" ;;
    unpack) mkdir -p "$run/$target" && tar -xzf "$run/$path" -C "$run/$target" ;;
    text) sed "s|@RUN@|$run|g" "$here/run/$path" >"$run/$path" ;;
    esac
done <"$here/tree.tsv"
sed "s|@RUN@|$run|g" "$here/job.json" >"$job/job.json"

# --- the call -------------------------------------------------------------------------------------------

set --
if command -v timeout >/dev/null 2>&1; then
    set -- timeout --kill-after=5 "$wall_s"
fi
if [ "${REIMAGE_CONFINE:-}" != no ]; then
    if command -v bwrap >/dev/null 2>&1 &&
        bwrap --ro-bind / / --dev /dev --proc /proc --unshare-net true 2>/dev/null; then
        set -- "$@" bwrap --ro-bind / / --dev /dev --proc /proc --bind "$work" "$work" \
            --unshare-net --unshare-ipc --die-with-parent --
    else
        say "no working bwrap here: the call runs unconfined, as you"
    fi
fi
say "$title: in $job"
cd "$job"
code=0
call "$@" </dev/null >stdout.log 2>stderr.log || code=$?

# --- the same? ------------------------------------------------------------------------------------------

if [ -z "$expected_exit" ]; then
    say "exit $code; in the service $ended"
elif [ "$code" = "$expected_exit" ]; then
    say "exit $code, as in the service"
else
    say "exit $code; in the service it was $expected_exit"
fi
if [ -n "$expected" ]; then
    cd "$run"
    if grep -rqsF -e "$expected" "$directory"/*.log "$directory/result.json" $looked; then
        say "the decisive line is there again: $expected"
    else
        say "the decisive line is not there: $expected"
    fi
fi
exit "$code"
