#include "cli/connection.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "common/base/address.h"
#include "common/base/shell_word.h"

namespace gridsweep {
namespace {

// A log file for a reader that may fail to start, gone with this object.
class TemporaryFile {
 public:
  TemporaryFile() : path_((std::filesystem::temp_directory_path() / "gridsweep-XXXXXX").string()) {
    const int fd = mkstemp(path_.data());
    if (fd >= 0) close(fd);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

void CoordinatorFlags::Declare(CLI::App& app) {
  CLI::Option* const coordinator =
      app.add_option("--coordinator", endpoint.address,
                     "Address of the coordinator, HOST:PORT. Default: without --db the one that the variable "
                     "GRIDSWEEP_COORDINATOR names, else the one that holds the database")
          ->type_name("ADDR");
  db_option_ = app.add_option("--db", db, "The results database")
                   ->capture_default_str()
                   ->type_name("FILE")
                   ->excludes(coordinator);
  app.add_option("--ca", endpoint.ca_file,
                 "Encrypt, and believe the coordinator that this authority has signed (ca.pem)")
      ->envname("GRIDSWEEP_CA")
      ->type_name("FILE");
  app.add_option("--token-file", endpoint.token_file, "File with your token")
      ->envname("GRIDSWEEP_TOKEN_FILE")
      ->type_name("FILE");
  app.add_option("--cert", endpoint.certificate_file, "Your certificate, if the coordinator demands one")
      ->envname("GRIDSWEEP_CERT")
      ->type_name("FILE");
  app.add_option("--cert-key", endpoint.key_file, "Its key")
      ->envname("GRIDSWEEP_CERT_KEY")
      ->type_name("FILE");
}

std::string CoordinatorFlags::Address() const {
  // A flag says more about what is meant now than a variable that was set some time ago.
  if (!endpoint.address.empty() || (db_option_ != nullptr && db_option_->count() > 0))
    return endpoint.address;
  const char* variable = std::getenv("GRIDSWEEP_COORDINATOR");
  return variable == nullptr ? "" : variable;
}

std::string CoordinatorFlags::Repeated() const {
  if (!endpoint.address.empty()) {
    std::string repeated = " --coordinator " + ShellWord(endpoint.address);
    if (!endpoint.ca_file.empty()) repeated += " --ca " + ShellWord(endpoint.ca_file);
    if (!endpoint.token_file.empty()) repeated += " --token-file " + ShellWord(endpoint.token_file);
    if (!endpoint.certificate_file.empty()) repeated += " --cert " + ShellWord(endpoint.certificate_file);
    if (!endpoint.key_file.empty()) repeated += " --cert-key " + ShellWord(endpoint.key_file);
    return repeated;
  }
  const bool given = db_option_ != nullptr && db_option_->count() > 0;
  // Also the default's name, if it was given because of the variable.
  if (given && std::getenv("GRIDSWEEP_COORDINATOR") != nullptr) return " --db " + ShellWord(db);
  return RepeatedDatabase(db);
}

std::string RepeatedDatabase(const std::string& db) {
  return db == kDefaultDatabase ? "" : " --db " + ShellWord(db);
}

Connection::~Connection() {
  // IMPORTANT: before the reader is stopped, because a server waits a while for its clients to hang up.
  client_.reset();
  if (reader_.process == nullptr) return;
  reader_.process->Signal(SIGTERM);
  reader_.process->WaitFor(absl::Seconds(5));
}

absl::StatusOr<std::unique_ptr<Connection>> Connect(const CoordinatorFlags& flags, Purpose purpose,
                                                    const Context& context) {
  if (const std::string address = flags.Address(); !address.empty()) {
    GS_RETURN_IF_ERROR(CheckAddress("coordinator address", address));
    Endpoint endpoint = flags.endpoint;
    endpoint.address = address;
    GS_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Create(endpoint));
    return std::make_unique<Connection>(std::move(client), LocalCoordinator{});
  }
  GS_ASSIGN_OR_RETURN(const std::optional<LiveCoordinator> live, FindLiveCoordinator(flags.db));
  if (live) {
    Endpoint endpoint = flags.endpoint;
    endpoint.address = live->address;
    if (live->secure && endpoint.ca_file.empty()) {
      return FailedPrecondition(
          "the coordinator that holds '{}' wants an encrypted connection and a token: give --ca FILE and --token-file FILE too, "
          "the ca.pem and a token of its --security directory",
          flags.db);
    }
    // Flags or variables that are meant for another coordinator do no harm here.
    if (!live->secure) endpoint = {.address = live->address};
    GS_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Create(endpoint));
    return std::make_unique<Connection>(std::move(client), LocalCoordinator{});
  }
  std::error_code error;
  const bool exists = std::filesystem::exists(flags.db, error);
  if (!exists && purpose == Purpose::kRead) {
    return Unavailable(
        "there is no database '{}' and no coordinator was named: gridsweep run FILE{} makes one; --db FILE and "
        "--coordinator ADDR name another",
        flags.db, RepeatedDatabase(flags.db));
  }
  if (purpose == Purpose::kChange) {
    return Unavailable(
        "no coordinator is running on '{}': start one with gridsweep-coordinator --db {}, or name a running one "
        "with --coordinator ADDR",
        flags.db, ShellWord(flags.db));
  }
  const TemporaryFile log;
  GS_ASSIGN_OR_RETURN(
      LocalCoordinator reader,
      StartCoordinator(
          {.program_dir = context.program_dir, .db = flags.db, .read_only = true, .log_path = log.path()}));
  auto client = std::make_unique<Client>(reader.address);
  return std::make_unique<Connection>(std::move(client), std::move(reader));
}

}  // namespace gridsweep
