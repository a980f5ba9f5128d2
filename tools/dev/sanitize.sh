#!/bin/bash
# Builds and runs tests under sanitizers: sanitize.sh asan|tsan [MESON TEST ARGUMENT ...]. Without a
# --suite among the arguments: the suites unit, scenarios and simulation. What the sanitizer finds
# in any process, nodes that tests start included, is in build-asan/reports or build-tsan/reports,
# is printed, and fails the run.
set -euo pipefail
cd "$(dirname "$0")/../.."

kind=${1:-}
case "$kind" in
  asan) sanitizers=address,undefined ;;
  tsan) sanitizers=thread ;;
  *) echo "usage: sanitize.sh asan|tsan [MESON TEST ARGUMENT ...]" >&2; exit 2 ;;
esac
shift
case " $* " in
  *" --suite"*) suites=() ;;
  *) suites=(--suite unit --suite scenarios --suite simulation) ;;
esac
directory=build-$kind
# A process of a test may be nobody's whose output is read.
reports=$PWD/$directory/reports
log=log_path=$reports/report
export CCACHE_SLOPPINESS=pch_defines,time_macros
export ASAN_OPTIONS=$log:detect_stack_use_after_return=1:strict_init_order=1
export UBSAN_OPTIONS=$log:print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=$log:suppressions=$PWD/tests/support/tsan.supp:second_deadlock_stack=1
# Ten times slower: fewer random clusters.
export TROUPE_SEEDS=${TROUPE_SEEDS:-60}
# Without names nothing that is known of the libraries can be left out.
symbolizer=$(command -v llvm-symbolizer-19) || {
  echo "sanitize.sh: needs llvm-symbolizer-19; apt-get install llvm-19" >&2
  exit 1
}
export ASAN_SYMBOLIZER_PATH=$symbolizer TSAN_OPTIONS=$TSAN_OPTIONS:external_symbolizer_path=$symbolizer
if [ ! -f "$directory/build.ninja" ]; then
  meson setup "$directory" --native-file tools/clang.ini -Dbenchmarks=false \
    -Db_sanitize="$sanitizers" </dev/null
fi
rm -rf "$reports"
mkdir "$reports"
meson test -C "$directory" "${suites[@]}" --timeout-multiplier 5 --print-errorlogs "$@" </dev/null ||
  status=$?
python3 tools/dev/count.py "$directory/meson-logs/testlog.json" || status=1
found=$(find "$reports" -type f | wc -l)
if [ "$found" -gt 0 ]; then
  find "$reports" -type f -exec head -n 200 {} +
  echo "sanitize.sh: $found processes with reports, in $reports" >&2
  status=1
fi
exit "${status:-0}"
