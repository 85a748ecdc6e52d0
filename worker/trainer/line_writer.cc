#include "worker/trainer/line_writer.h"

#include <unistd.h>

#include <cerrno>

namespace gridsweep {

void LineWriter::Write(const Json& line) {
  // Text from the system (error messages, device names) need not be UTF-8.
  const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (size_t done = 0; done < text.size();) {
      const ssize_t written = write(fd_, text.data() + done, text.size() - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) break;
      done += static_cast<size_t>(written);
      if (done == text.size()) return;
    }
  }
  on_broken_();
}

}  // namespace gridsweep
