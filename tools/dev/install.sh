#!/bin/bash
# Installs what the build needs, from Debian bookworm's packages; does nothing if all is there.
set -euo pipefail

packages=(
  clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev lld-19 g++ meson ninja-build pkg-config ccache
  protobuf-compiler protobuf-compiler-grpc libgrpc++-dev libprotobuf-dev libcaf-dev librocksdb-dev
  libxxhash-dev prometheus-cpp-dev libgtest-dev libgmock-dev libboost1.81-dev libnghttp2-dev
  libsimdjson-dev libcli11-dev libtomlplusplus-dev libssl-dev libbenchmark-dev libsqlite3-dev libyaml-cpp-dev libhiredis-dev
  libpq-dev redis-server postgresql python3 python3-venv
  nodejs curl
)
# A checker of histories is in Go; any since 1.19 does.
command -v go >/dev/null || packages+=(golang-go)

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install.sh: not root and no sudo; as root: apt-get install ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
