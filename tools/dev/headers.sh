#!/bin/bash
# Compiles each header by itself: it must include what it uses. headers.sh [FILE ...]
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -gt 0 ]; then
  files=("$@")
else
  mapfile -t files < <(git ls-files -- '*.h')
fi
flags=(-std=c++20 -fsyntax-only -Wall -Wextra -Werror -Wno-pragma-once-outside-header
       -I. -Isdk/include -Ibuild -x c++-header)
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" clang++-19 "${flags[@]}"
