// SHA-256 (FIPS 180-4), streaming and one-shot.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace gridsweep {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(const void* data, size_t size);
  void Update(std::string_view text) { Update(text.data(), text.size()); }
  // 64 lower-case hex digits. REQUIRES: called once, last.
  std::string HexDigest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(std::string_view text);

// Whether `text` could be one: 64 lower-case hex digits.
bool IsSha256(std::string_view text);

}  // namespace gridsweep
