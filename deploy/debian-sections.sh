#!/bin/sh
# Adds Debian's contrib and non-free sections to apt for `cuda`, where CUDA and the LibTorch on it are; nothing for `cpu`.
set -eu
[ "${1:-cpu}" = cuda ] || exit 0
. /etc/os-release
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
echo "deb $mirror $VERSION_CODENAME contrib non-free" >/etc/apt/sources.list.d/gridsweep-cuda.list
