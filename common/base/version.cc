#include "common/base/version.h"

namespace gridsweep {

std::string Version() {
  return GRIDSWEEP_VERSION;
}
std::string Commit() {
  return GRIDSWEEP_COMMIT;
}

}  // namespace gridsweep
