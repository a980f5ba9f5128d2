#!/bin/bash
# Formats all C++ in place; with --check only says what is not formatted, and fails.
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=(-i)
if [ "${1:-}" = --check ]; then mode=(--dry-run --Werror); fi
git ls-files -z --cached --others --exclude-standard -- '*.h' '*.cpp' |
  xargs -0 -r clang-format-19 "${mode[@]}"
