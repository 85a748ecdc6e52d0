// A library to preload into a program, which makes its machine faulty while a file of that name exists in the folder
// $GRIDSWEEP_FAULTY_MACHINE:
//   sync-fails   fsync and fdatasync report an I/O error
//   sync-slow    they take 200 ms longer
//   clock-ahead  the wall clock is an hour ahead; clock-behind: behind
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr long kSlow = 200'000'000;  // ns
constexpr time_t kSkew = 3600;       // s

bool Has(const char* fault) {
  const char* const folder = getenv("GRIDSWEEP_FAULTY_MACHINE");
  if (folder == nullptr) return false;
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s", folder, fault);
  const int before = errno;
  const bool there = access(path, F_OK) == 0;
  errno = before;
  return there;
}

template <typename Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int Sync(const char* name, int fd) {
  if (Has("sync-fails")) {
    errno = EIO;
    return -1;
  }
  if (Has("sync-slow")) {
    const timespec pause{0, kSlow};
    nanosleep(&pause, nullptr);
  }
  return Next<int (*)(int)>(name)(fd);
}

}  // namespace

extern "C" {

int fsync(int fd) {
  return Sync("fsync", fd);
}

int fdatasync(int fd) {
  return Sync("fdatasync", fd);
}

int clock_gettime(clockid_t clock, timespec* time) {
  static const auto real = Next<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, time);
  if (clock != CLOCK_REALTIME || result != 0) return result;
  if (Has("clock-ahead")) time->tv_sec += kSkew;
  if (Has("clock-behind")) time->tv_sec -= kSkew;
  return result;
}

}  // extern "C"
