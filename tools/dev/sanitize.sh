#!/bin/bash
# Builds and runs the unit, scenario and simulation suites under sanitizers:
# sanitize.sh asan|tsan [MESON TEST ARGUMENT ...]
set -euo pipefail
cd "$(dirname "$0")/../.."

kind=${1:-}
case "$kind" in
  asan) sanitizers=address,undefined ;;
  tsan) sanitizers=thread ;;
  *) echo "usage: sanitize.sh asan|tsan [MESON TEST ARGUMENT ...]" >&2; exit 2 ;;
esac
shift
directory=build-$kind
export CCACHE_SLOPPINESS=pch_defines,time_macros
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_init_order=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=suppressions=$PWD/tests/support/tsan.supp:second_deadlock_stack=1
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
meson test -C "$directory" --suite unit --suite scenarios --suite simulation \
  --timeout-multiplier 5 --print-errorlogs "$@" </dev/null || status=$?
python3 tools/dev/count.py "$directory/meson-logs/testlog.json"
exit "${status:-0}"
