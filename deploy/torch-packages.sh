#!/bin/sh
# Prints the Debian packages to build with for `cpu` or `cuda`. OpenBLAS because LibTorch on Debian's reference BLAS is 25
# times slower; the CUDA compiler because LibTorch's CMake files ask for it even where no CUDA code is compiled.
case ${1:-} in
  cpu) echo libtorch-dev libopenblas0-openmp ;;
  cuda) echo libtorch-cuda-dev nvidia-cuda-toolkit-gcc libopenblas0-openmp ;;
  *) echo "torch-packages.sh: unknown LibTorch '${1:-}', expected cpu or cuda" >&2; exit 2 ;;
esac | tr ' ' '\n'
