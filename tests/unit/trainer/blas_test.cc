#include "worker/trainer/blas.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

std::string Line(const std::string& path) {
  return "7f2d8c000000-7f2d8c100000 r-xp 00000000 fe:00 1234 " + path + "\n";
}

TEST(Blas, ReferenceLibraryIsTheSlowOne) {
  const Blas blas = BlasFromMaps(Line("/usr/lib/x86_64-linux-gnu/libtorch_cpu.so.1.13") +
                                 Line("/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0"));
  EXPECT_TRUE(blas.reference);
  EXPECT_EQ(blas.name, "reference BLAS");
}

TEST(Blas, OpenBlasIsFoundBehindItsAlternativesName) {
  // Debian's OpenBLAS brings a libblas.so of its own, in its own folder.
  const Blas blas = BlasFromMaps(Line("/usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3"));
  EXPECT_FALSE(blas.reference);
  EXPECT_EQ(blas.name, "OpenBLAS");
  EXPECT_EQ(BlasFromMaps(Line("/usr/lib/libopenblas.so.0")).name, "OpenBLAS");
}

TEST(Blas, OthersAreNotTheReference) {
  EXPECT_EQ(BlasFromMaps(Line("/opt/mkl/libmkl_core.so.2")).name, "MKL");
  EXPECT_EQ(BlasFromMaps(Line("/usr/lib/x86_64-linux-gnu/blis-openmp/libblas.so.3")).name, "BLIS");
  EXPECT_EQ(BlasFromMaps(Line("/usr/lib/libtorch_cpu.so")).name, "unknown BLAS");
  EXPECT_FALSE(BlasFromMaps("").reference);
}

}  // namespace
}  // namespace gridsweep
