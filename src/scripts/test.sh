# shellcheck shell=bash
# `./portal test`: builds once, runs each test project by itself, and ends with one line that programs can read.

PASSED=0
FAILED=0
SKIPPED=0

# The order is that of the house, from the kernel outward: what breaks first is said first. A project that is not named here comes last.
TEST_ORDER=(Kernel Engine Architecture App Web Script Browser)
FAST_TESTS=(Kernel Engine Architecture App)

# A project that says nothing for so long hangs; the whole is then no wiser for waiting.
TEST_LIMIT="${PORTAL_TEST_LIMIT:-40m}"

command_test() {
    local fast='' project only=()
    take_data_option "$@"
    set -- "${REST[@]}"
    while (($# > 0)); do
        case "$1" in
            fast) fast=yes ;;
            --no-install) INSTALL=no ;;
            -*) fail "'test' has no option $1." "./portal help lists what there is." ;;
            *) only+=("$1") ;; # a part of the house by its name: ./portal test Kernel Web
        esac
        shift
    done
    check_dotnet_is_there
    mkdir -p -- "$ARTIFACTS/tests/log"
    TEST_LOGS="$ARTIFACTS/tests"
    # Packages write their log beside the results: a test run needs no portal of its own.
    DATA="$TEST_LOGS"
    trap 'stop_tests' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    install_needs database libvirt templates engine_tests
    [[ $fast ]] || install_needs tests
    build_tests
    while read -r project; do
        run_tests "$project" "${fast:-no-lab}"
    done < <(test_projects "$fast" "${only[@]}")
    [[ $fast ]] || run_lab_tests "${only[@]}"

    [[ $fast ]] || ((${#only[@]} > 0)) || check_article
    ((PASSED + FAILED > 0)) || FAILED=1 # nothing ran: that is no success
    trap - EXIT
    stop_tests
    printf '%d passed, %d failed%s\n' "$PASSED" "$FAILED" "$( ((SKIPPED == 0)) || echo ", $SKIPPED skipped")"
    ((FAILED == 0))
}

# The tests that want a Xen host, last and by themselves: the host is emulated, takes most of a processor also when nobody asks it anything, and Xen gives its
# scripts 40 s. Beside other tests both would take twice as long.
run_lab_tests() {
    local project projects=()
    for project in $(test_projects '' "$@"); do
        [[ ! -d $ROOT/tests/$project/Lab ]] || projects+=("$project")
    done
    ((${#projects[@]} > 0)) || return 0
    for project in "${projects[@]}"; do
        # Each on a host as it was built: what one leaves there is nothing to the next.
        lab_for_tests
        run_tests "$project" lab
        stop_lab
    done
}

# The lab, anew from its saved state. One that ran before is left running; where it cannot be had, its tests say so.
lab_for_tests() {
    lab_runs || LAB_IS_OURS=yes
    (lab_up --fresh >/dev/null </dev/null) || warn "There is no lab: the tests that need a Xen host will fail."
    export PORTAL_LAB_RUNS=1 PORTAL_LAB="$LAB"
    say lab "Xen host up: $(lab_ssh xl info xen_version 2>/dev/null </dev/null || echo no answer)"
}

stop_lab() {
    [[ ! ${LAB_IS_OURS:-} ]] || lab_down >/dev/null || true
    LAB_IS_OURS=''
}

stop_tests() {
    trap '' INT TERM HUP EXIT
    stop_apart
    stop_lab
    libvirt_stop || true # tests start and stop it themselves; this is for what a killed one has left
}

test_projects() {
    local fast="$1" name names=()
    shift
    if (($# > 0)); then
        names=("$@")
    elif [[ $fast ]]; then
        names=("${FAST_TESTS[@]}")
    else
        names=("${TEST_ORDER[@]}")
        for name in "$ROOT"/tests/Portal.*.Tests; do
            name="${name##*/Portal.}"
            name="${name%.Tests}"
            [[ " ${names[*]} " == *" $name "* ]] || names+=("$name")
        done
    fi
    for name in "${names[@]}"; do
        [[ -d $ROOT/tests/Portal.$name.Tests ]] && echo "Portal.$name.Tests"
    done
    return 0
}

build_tests() {
    local log="$TEST_LOGS/log/build.log" started=$SECONDS
    say build "building everything with its tests (1 to 4 minutes the first time)"
    take_build_lock
    run_apart env -C "$ROOT" dotnet build Portal.sln -c Debug --nologo -v quiet -p:UseSharedCompilation=false -nodeReuse:false >"$log" 2>&1 || {
        grep -E '(error|fail)' "$log" | sort -u | head -n 20 >&2 || tail -n 20 "$log" >&2
        warn "The build failed; all that it said is in $log."
        echo "0 passed, 1 failed"
        trap - EXIT
        exit 1
    }
    exec 7>&-
    say build "done in $((SECONDS - started)) s"
}

# One project, or a part of it, in a process of its own. Its report is read, not its text; without a report, or with a bad end that no test
# explains, the project itself counts as one failure.
run_tests() {
    local project="$1" part="$2" code=0 started=$SECONDS name report log program filter=() p f e s
    program="$ROOT/tests/$project/bin/Debug/net10.0/$project.dll"
    name="$project$([[ $part != lab ]] || echo .Lab)"
    report="$TEST_LOGS/$name.xml"
    log="$TEST_LOGS/$name.log"
    rm -f -- "$report"
    if [[ ! -f $program ]]; then
        warn "$project is not in Portal.sln, or did not build: $program is missing."
        FAILED=$((FAILED + 1))
        return
    fi
    case $part in
        yes) filter=(-trait- Category=Live -namespace- "*.Live") ;;
        no-lab) filter=(-namespace- "*.Lab") ;;
        lab) filter=(-namespace "*.Lab") ;;
    esac
    run_apart env -C "$ROOT/tests/$project" timeout --kill-after=30 "$TEST_LIMIT" dotnet "$program" \
        -noLogo -noColor -noAutoReporters -result-xml "$report" "${filter[@]}" >"$log" 2>&1 || code=$?

    if [[ -s $report ]] && p="$(report_count passed "$report")"; then
        f="$(report_count failed "$report")"
        e="$(report_count errors "$report")"
        s="$(report_count skipped "$report")"
        ((code == 0 || f + e > 0)) || e=1
    else
        p=0 f=0 e=1 s=0
    fi
    PASSED=$((PASSED + p))
    FAILED=$((FAILED + f + e))
    SKIPPED=$((SKIPPED + s))
    say "${name#Portal.}" "$p passed, $((f + e)) failed$( ((s == 0)) || echo ", $s skipped"), $((SECONDS - started)) s"
    ((f + e == 0)) || show_failures "$name" "$log" "$code"
}

# The proofs that docs/article.md names: each ran in this run and passed. Counts as one test.
check_article() {
    local proof passed absent=()
    [[ -f $ROOT/docs/article.md ]] || return 0
    passed=" $(grep -ohE '<test [^>]*result="Pass"[^>]*>' "$TEST_LOGS"/*.xml | sed -nE 's/.* type="[^"]*\.([A-Za-z0-9_]+)" method="([A-Za-z0-9_]+)".*/\1.\2/p' | sort -u | paste -sd' ' -) "
    while read -r proof; do
        [[ $passed == *" $proof "* ]] || absent+=("$proof")
    done < <(grep '^|' "$ROOT/docs/article.md" | grep -oE "\`[A-Z][A-Za-z]*Tests\.[A-Za-z0-9_]+\`" | tr -d "\`" | sort -u)
    if ((${#absent[@]} == 0)); then
        PASSED=$((PASSED + 1))
        say article "each row of docs/article.md was proven in this run"
    else
        FAILED=$((FAILED + 1))
        warn "docs/article.md names tests that did not pass in this run: ${absent[*]}"
    fi
}

# The report's own sums: attributes of its only <assembly> element.
report_count() {
    local count
    count="$(grep -o '<assembly [^>]*>' "$2" | head -n 1 | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p")"
    [[ $count ]] && echo "$count"
}

# The runner's console text has each failure with its message and place; from the first on, as much as a person reads.
show_failures() {
    local project="$1" log="$2" code="$3"
    ((code != 124)) || warn "$project was stopped after $TEST_LIMIT."
    [[ -f $log ]] || { warn "$project left no log; its program ended with code $code."; return 0; }
    if grep -q '\[FAIL\]' "$log"; then
        awk '/\[FAIL\]/ {on = 1} / \[SKIP\]$|^  Finished:|^=== / {on = 0} on' "$log" | head -n 200
    else
        tail -n 40 "$log"
    fi
    tell "    (all of it: $log)"
}
