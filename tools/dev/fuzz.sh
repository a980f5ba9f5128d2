#!/bin/bash
# Runs each fuzzer for a while: fuzz.sh [SECONDS EACH (60)] [NAME ...]. What it found worth keeping
# is in build-fuzz/corpus; what broke is in build-fuzz/broken.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
shift || true
directory=build-fuzz
export CCACHE_SLOPPINESS=pch_defines,time_macros
# Else undefined behaviour is printed, and the fuzzer goes on and succeeds.
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
symbolizer=$(command -v llvm-symbolizer-19) && export ASAN_SYMBOLIZER_PATH=$symbolizer
if [ ! -f "$directory/build.ninja" ]; then
  meson setup "$directory" --native-file tools/clang.ini -Dfuzzers=true -Dbenchmarks=false \
    -Db_sanitize=address,undefined </dev/null
fi
if [ $# -gt 0 ]; then
  names=("$@")
else
  names=()
  for source in tests/fuzz/*_fuzz.cpp; do
    name=$(basename "$source")
    names+=("${name%_fuzz.cpp}")
  done
fi
targets=("${names[@]/#/tests/fuzz/}")
ninja -C "$directory" "${targets[@]/%/_fuzz}"
failed=0
for name in "${names[@]}"; do
  mkdir -p "$directory/corpus/$name" "$directory/broken/$name"
  echo "fuzz: $name for $seconds s"
  "$directory/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=0 -verbosity=0 -artifact_prefix="$directory/broken/$name/" \
    "$directory/corpus/$name" </dev/null || failed=$((failed + 1))
done
echo "fuzz: ${#names[@]} fuzzers, $failed failed"
[ "$failed" -eq 0 ]
