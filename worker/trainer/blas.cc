#include "worker/trainer/blas.h"

#include <dlfcn.h>

#include <fstream>
#include <sstream>

namespace gridsweep {
namespace {

template <typename Function>
Function* Symbol(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

std::string OpenBlasName() {
  std::string name = "OpenBLAS";
  if (auto* config = Symbol<char*()>("openblas_get_config")) {
    std::istringstream words(config());  // "OpenBLAS 0.3.21 NO_LAPACKE …"
    std::string library, version;
    if (words >> library >> version) name = library + " " + version;
  }
  if (auto* core = Symbol<char*()>("openblas_get_corename")) name += std::string(" (") + core() + ")";
  return name;
}

}  // namespace

Blas BlasFromMaps(const std::string& maps) {
  const auto has = [&](const char* file) { return maps.find(file) != std::string::npos; };
  if (has("libopenblas") || has("/openblas-")) return {"OpenBLAS", false};
  if (has("libmkl_")) return {"MKL", false};
  if (has("libblis") || has("/blis-")) return {"BLIS", false};
  if (has("/atlas/")) return {"ATLAS", false};
  if (has("libblas.so")) return {"reference BLAS", true};
  return {"unknown BLAS", false};  // linked into LibTorch itself
}

Blas DetectBlas() {
  std::ifstream in("/proc/self/maps");
  std::ostringstream maps;
  maps << in.rdbuf();
  Blas blas = BlasFromMaps(maps.str());
  if (blas.name == "OpenBLAS") blas.name = OpenBlasName();
  return blas;
}

void UseOneBlasThread() {
  if (auto* set = Symbol<void(int)>("openblas_set_num_threads")) set(1);
}

}  // namespace gridsweep
