// Where a coordinator is, how it is to be believed, and how it believes us.
#pragma once

#include <string>

namespace gridsweep {

// Files are PEM, or one line of text.
struct Endpoint {
  std::string address;     // "host:port"
  std::string ca_file;     // the authority that signed the coordinator's certificate; empty: no encryption
  std::string token_file;  // our token; read anew for every call
  std::string certificate_file;  // ours and its key, where the coordinator demands one
  std::string key_file;
};

}  // namespace gridsweep
