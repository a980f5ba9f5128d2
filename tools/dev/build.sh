#!/bin/bash
# Builds: build.sh [DIRECTORY [MESON OPTION ...]]. DIRECTORY is `build` unless given; options count
# when it is made. TARGETS, from the environment, limits what is built.
set -euo pipefail
cd "$(dirname "$0")/../.."

directory=${1:-build}
shift || true
# Precompiled headers and __TIME__ would otherwise defeat ccache.
export CCACHE_SLOPPINESS=pch_defines,time_macros
if [ ! -f "$directory/build.ninja" ]; then
  meson setup "$directory" --native-file tools/clang.ini "$@" </dev/null
fi
# shellcheck disable=SC2086  # several targets
exec ninja -C "$directory" ${TARGETS:-}
