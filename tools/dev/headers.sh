#!/bin/bash
# Compiles each header by itself: it must include what it uses. headers.sh [FILE ...]
# Needs a configured build directory (build.sh); what is generated must have been built. JOBS run at
# a time, one a core unless said otherwise; with ccache only what has changed takes time.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -gt 0 ]; then
  headers=("$@")
else
  mapfile -t headers < <(git ls-files --cached --others --exclude-standard -- '*.h')
fi
# As a source of one line, which is what ccache keeps.
sources=()
for header in "${headers[@]}"; do
  source=build/headers/$header.cpp
  if [ ! -f "$source" ]; then
    mkdir -p "$(dirname "$source")"
    echo "#include \"$header\"" >"$source"
  fi
  sources+=("$source")
done
compiler=(clang++-19)
if command -v ccache >/dev/null; then compiler=(ccache "${compiler[@]}"); fi
flags=(-std=c++20 -O0 -c -Wall -Wextra -Werror -I. -Isdk/include -Ibuild
       -isystem sdk/proto -isystem build/sdk/proto)
printf '%s\0' "${sources[@]}" |
  xargs -0 -P "${JOBS:-$(nproc)}" -I {} "${compiler[@]}" "${flags[@]}" {} -o {}.o
