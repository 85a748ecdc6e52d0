#include "worker/agent/utf8_text.h"

#include "common/base/json.h"

namespace gridsweep::agent {

std::string ValidUtf8(std::string_view text, size_t max_bytes) {
  const std::string quoted =
      Json(std::string(text.substr(0, max_bytes))).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

}  // namespace gridsweep::agent
