# shellcheck shell=bash
# Builds the portal as it is deployed. All of it lands in artifacts/, so that the checkout stays as it was.

ARTIFACTS="$ROOT/artifacts"

# Sets APP to the program's file, building it if a source is newer than the last build. PORTAL_APP names one that is built already.
build_app() {
    if [[ ${PORTAL_APP:-} ]]; then
        APP="$PORTAL_APP"
        [[ -f $APP ]] || fail "PORTAL_APP names $APP, which is not there."
        return
    fi
    take_build_lock
    APP="$ARTIFACTS/app/$(source_stamp src migrations wwwroot)/Portal.Web.dll"
    [[ -f $APP ]] || publish_app
    exec 7>&-
}

# Everything that goes into a program, by path, size and time of change: some milliseconds, where a build that finds nothing to do takes seconds.
source_stamp() {
    (cd "$ROOT" && find "$@" Directory.Build.props Directory.Packages.props global.json BannedSymbols.txt .editorconfig \
        \( -name bin -o -name obj -o -path src/scripts \) -prune -o -type f -printf '%p %s %T@\n' 2>/dev/null) | sort | sha256sum | head -c 16
}

# One build at a time in a checkout, whichever data directory it is for.
take_build_lock() {
    mkdir -p -- "$ARTIFACTS"
    exec 7>>"$ARTIFACTS/lock"
    flock -n 7 || { say build "another build runs here; waiting for it" && flock 7; }
}

publish_app() {
    local target new log="$ARTIFACTS/build.log" started=$SECONDS
    target="$(dirname -- "$APP")"
    new="$ARTIFACTS/app/new"
    check_dotnet
    say build "building the portal ($([[ -d $ARTIFACTS/obj ]] && echo "up to a minute" || echo "1 to 4 minutes the first time"))"
    rm -rf -- "$new"
    # No compressed copies: they take most of a minute, and a portal on one's own machine gains nothing from them.
    # No servers left behind by the build: they would hold its lock, and the portal's.
    if ! run_apart env -C "$ROOT" dotnet publish src/Portal.Web/Portal.Web.csproj -c Release --artifacts-path "$ARTIFACTS" -o "$new" \
        --nologo -v quiet -p:CompressionEnabled=false -p:DebugType=embedded -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1; then
        grep -E '(error|fail)' "$log" | sort -u | head -n 10 >&2 || tail -n 10 "$log" >&2
        fail "The build failed." "All that it said is in $log. Mend that, then repeat your command."
    fi
    mv -- "$new" "$target"
    remove_old_builds
    say build "done in $((SECONDS - started)) s"
}

# The two newest stay: a portal that runs on the one before keeps its files.
remove_old_builds() {
    local old
    # shellcheck disable=SC2012  # names are hexadecimal digits of our own
    for old in $(ls -1t -- "$ARTIFACTS/app" | tail -n +3); do
        rm -rf -- "$ARTIFACTS/app/${old:?}"
    done
}
