#!/bin/sh
# The runtime stage of an image, on a bare Debian 13, as root: runtime-stage.sh coordinator|worker. The programs are in
# /opt/gridsweep already.
set -eu
role=${1:?coordinator or worker}
here=$(dirname "$0")
prefix=/opt/gridsweep

if grep -q '^libtorch-cuda' "$here/packages"; then sh "$here/debian-sections.sh" cuda; fi
apt-get update -qq
# shellcheck disable=SC2046
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(cat "$here/packages") >/dev/null
# Debian's images throw the downloaded packages away by themselves.
rm -rf /var/lib/apt/lists/*
# The driver's own library must be that of the host's driver: the NVIDIA runtime mounts it.
rm -f /usr/lib/*/libcuda.so* /usr/lib/*/nvidia/current/libcuda.so*

groupadd --gid 10001 gridsweep
useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gridsweep
case $role in
  # A new named volume takes over the owner of the folder it is mounted on.
  coordinator) install -d -o gridsweep -g gridsweep -m 0750 /var/lib/gridsweep ;;
  worker) install -d /data ;;
  *) echo "runtime-stage.sh: unknown role '$role', expected coordinator or worker" >&2; exit 2 ;;
esac
# Nobody in the container has a use for programs that run as root.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +

# Everything the programs load is there, and LibTorch is on a fast BLAS.
for program in "$prefix"/bin/gridsweep*; do
  "$program" --version >/dev/null || { echo "$program does not start" >&2; exit 1; }
done
if [ "$role" = worker ]; then
  case $(readlink -f /usr/lib/*/libblas.so.3) in
    *openblas*) ;;
    *) echo "the image has no OpenBLAS: training would be 25 times slower" >&2; exit 1 ;;
  esac
fi
