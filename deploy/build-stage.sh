#!/usr/bin/env bash
# The build stage of the images, on a bare Debian 13, as root.
#
#   deploy/build-stage.sh packages cpu|cuda   install what building needs, with that LibTorch
#   deploy/build-stage.sh compile OUT         build, and lay out OUT/coordinator and OUT/worker for /opt/gridsweep
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

install_packages() {
  deploy/debian-sections.sh "$1"
  # All but LibTorch; it also brings apt's lists up to date.
  ./dev --preset no-torch setup
  local torch
  mapfile -t torch < <(deploy/torch-packages.sh "$1")
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${torch[@]}" >/dev/null
}

# Debian packages of the shared libraries that the programs below $1 load, so that the runtime stage installs these and
# nothing else.
runtime_packages() {
  local program libraries library package
  for program in "$1"/bin/gridsweep*; do
    libraries=$(ldd "$program")
    if grep 'not found' <<<"$libraries" >&2; then exit 1; fi
    while read -r library; do
      # libblas.so.3 is a chain of links to the BLAS in use; the package that counts is at its end.
      library=$(realpath "$library")
      case $library in
        */libcudnn*) echo nvidia-cudnn; continue ;;  # fetched by that package, so no package owns the file
      esac
      package=$(dpkg-query -S "$library" | sed -n '1s/:.*//p')
      [ -n "$package" ] || { echo "no package owns $library, which $program needs" >&2; exit 1; }
      echo "$package"
    done < <(awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' <<<"$libraries")
  done | sort -u
}

compile() {
  local out=$1 prefix=/opt/gridsweep jobs=${GRIDSWEEP_JOBS:-2}
  cmake --preset release -DGRIDSWEEP_WITH_TESTS=OFF -DCMAKE_INSTALL_PREFIX=$prefix >/dev/null
  cmake --build build/release -j "$jobs"
  cmake --install build/release --strip >/dev/null

  mkdir -p "$out"/{coordinator,worker}/{bin,lib}
  cp $prefix/bin/{gridsweep,gridsweep-coordinator} "$out/coordinator/bin/"
  cp -r $prefix/share "$out/coordinator/"
  cp $prefix/bin/{gridsweep-worker,gridsweep-trainer} deploy/worker-health "$out/worker/bin/"
  local role
  for role in coordinator worker; do
    cp deploy/{runtime-stage.sh,debian-sections.sh} "$out/$role/lib/"
    runtime_packages "$out/$role" >"$out/$role/lib/packages"
  done
  # What a worker trains on when nothing is mounted.
  echo dataset-fashion-mnist >>"$out/worker/lib/packages"
}

case ${1:-} in
  packages) install_packages "${2:?cpu or cuda}" ;;
  compile) compile "${2:?folder to lay the images out in}" ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
