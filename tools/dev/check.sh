#!/bin/bash
# Everything a change must pass beside its tests: format, tidiness, headers, lint of what changed.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools/dev/format.sh --check
python3 tools/tidy/tidy.py .
[ -f build/build.ninja ] || tools/dev/build.sh
tools/dev/headers.sh
tools/dev/lint.sh --analyzer
echo "check: all is well"
