#!/bin/bash
# Runs clang-tidy on what differs from main, or on everything: lint.sh [--all] [FILE ...].
# Needs a configured build directory (build.sh); what is generated must have been built.
# Four times quicker where libclang-19-dev and llvm-19-dev are installed, or unpacked in $LLVM.
# JOBS run at a time, one a core unless said otherwise.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "${1:-}" = --all ]; then
  mapfile -t files < <(git ls-files -- '*.cpp')
elif [ $# -gt 0 ]; then
  files=("$@")
else
  base=$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)
  mapfile -t files < <(
    { git diff --name-only --diff-filter=d "$base" -- '*.cpp'
      git ls-files --others --exclude-standard -- '*.cpp'; } | sort -u)
fi
if [ ${#files[@]} -eq 0 ]; then
  echo "lint: nothing to look at"
  exit 0
fi
# Only what the build compiles has its flags. Precompiled headers are clang's own matter.
mapfile -t files < <(python3 - "${files[@]}" <<'PY'
import json, os, sys
known = {os.path.realpath(os.path.join(unit["directory"], unit["file"]))
         for unit in json.load(open("build/compile_commands.json"))}
print("\n".join(os.path.realpath(file) for file in sys.argv[1:] if os.path.realpath(file) in known))
PY
)
if [ -z "${files[0]:-}" ]; then exit 0; fi
# The walk through the headers of libraries takes most of the time: without it, if that can be built.
arguments=(-p build --quiet --extra-arg=-Wno-unknown-warning-option)
llvm=${LLVM:-/usr/lib/llvm-19}/include
if [ -d "$llvm/clang-tidy" ]; then
  plugin=build/own_code.so
  if [ tools/tidy/own_code.cpp -nt "$plugin" ]; then
    clang++-19 -shared -fPIC -fno-rtti -O1 -std=c++20 -D_GNU_SOURCE -isystem "$llvm" \
      tools/tidy/own_code.cpp -o "$plugin"
  fi
  arguments+=(-load "$plugin" --checks=troupe-own-code)
fi
# The analyzer has found nearly all by then, and goes on for a minute a file. Not an option of
# .clang-tidy: those reach its checkers only.
for word in -Xclang -analyzer-config -Xclang max-nodes=10000; do
  arguments+=("--extra-arg=$word")
done
printf '%s\0' "${files[@]}" |
  xargs -0 -n 1 -P "${JOBS:-$(nproc)}" clang-tidy-19 "${arguments[@]}"
