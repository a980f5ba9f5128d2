#!/bin/bash
# Runs clang-tidy on what differs from main, on FILEs, or on everything:
#   lint.sh [--analyzer] [--all | FILE ...]
# Headers are looked at in the source of their name, or in one that includes them. What was clean is
# looked at again when it, or what it includes, has changed. The analyzer, which follows the paths
# through each function, takes as long again, and only comes if asked for.
#
# Needs a build (build.sh): its flags, and what it generates. Several times quicker where
# libclang-19-dev and llvm-19-dev are installed, or unpacked in $LLVM. JOBS run at a time, one a core
# unless said otherwise.
set -euo pipefail
cd "$(dirname "$0")/../.."

analyzer=false
if [ "${1:-}" = --analyzer ]; then
  analyzer=true
  shift
fi
if [ "${1:-}" = --all ]; then
  files=()
elif [ $# -gt 0 ]; then
  files=("$@")
else
  base=$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)
  mapfile -t files < <(
    { git diff --name-only --diff-filter=d "$base" -- '*.cpp' '*.h'
      git ls-files --others --exclude-standard -- '*.cpp' '*.h'; } | sort -u)
  if [ ${#files[@]} -eq 0 ]; then
    echo "lint: nothing to look at"
    exit 0
  fi
fi

command='clang-tidy-19 -p build --quiet'
command+=' --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wreserved-identifier'
checks=
# The walk through the headers of libraries takes most of the time: without it, if that can be built.
llvm=${LLVM:-/usr/lib/llvm-19}/include
if [ -d "$llvm/clang-tidy" ]; then
  plugin=build/own_code.so
  if [ tools/tidy/own_code.cpp -nt "$plugin" ]; then
    clang++-19 -shared -fPIC -fno-rtti -O1 -std=c++20 -D_GNU_SOURCE -isystem "$llvm" \
      tools/tidy/own_code.cpp -o "$plugin"
  fi
  command+=" -load $plugin"
  checks+=troupe-own-code,
fi
if $analyzer; then
  # It has found nearly all by then, and goes on for a minute a file. Not an option of .clang-tidy:
  # those reach its checkers only.
  for word in -Xclang -analyzer-config -Xclang max-nodes=10000; do
    command+=" --extra-arg=$word"
  done
else
  checks+='-clang-analyzer-*,'
fi
command+=" --checks='$checks'"

directory=build/lint
if $analyzer; then directory=build/lint-analyzer; fi
mapfile -t marks < <(python3 tools/dev/lint.py "$directory" "$command" ${files[@]+"${files[@]}"})
if [ -z "${marks[0]:-}" ]; then
  echo "lint: nothing of it is built here"
  exit 0
fi
ninja -f "$directory/lint.ninja" -k 0 -j "${JOBS:-$(nproc)}" "${marks[@]}"
