#include "coordinator/security_commands.h"

#include <iostream>

#include "common/base/shell_word.h"
#include "coordinator/security/security_directory.h"

namespace gridsweep {
namespace {

absl::StatusOr<Role> ParseRoleFlag(const std::string& name) {
  if (const std::optional<Role> role = ParseRole(name)) return *role;
  return InvalidArgument("unknown role '{}', expected viewer, submitter, worker or admin", name);
}

}  // namespace

void SecurityCommands::Declare(CLI::App& app) {
  const auto add = [&](const char* name, const char* what) {
    CLI::App* const command = app.add_subcommand(name, what);
    command->add_option("DIR", directory_, "The directory of certificates and tokens")->required();
    return command;
  };
  const auto add_hosts = [&](CLI::App* command) {
    command
        ->add_option(
            "--host", hosts_,
            "A further name or address that the coordinator is called by; may be repeated. Names of this "
            "machine are known")
        ->type_name("NAME")
        ->allow_extra_args(false);
  };
  const auto add_role = [&](CLI::App* command) {
    command->add_option("--role", role_, "viewer, submitter, worker or admin")->required();
  };
  init_ = add("init", "Make certificates and tokens in DIR, for --security DIR");
  add_hosts(init_);
  token_ = add("token", "Make a further token; it is accepted at once, also by a running coordinator");
  add_role(token_);
  token_->add_option("--out", out_, "File for the token; must not exist yet")->required()->type_name("FILE");
  revoke_ = add("revoke", "Accept a token no longer, also while running");
  revoke_->add_option("ID", id_, "As in DIR/tokens.json, and in the log")->required();
  renew_ = add("renew",
               "Make a new server certificate, for the names of the old one unless --host gives others; a "
               "running coordinator takes it up within seconds");
  add_hosts(renew_);
  certificate_ = add("certificate", "Make DIR/NAME.pem and DIR/NAME.key, a client's for mutual TLS");
  add_role(certificate_);
  certificate_->add_option("--name", name_, "Of the machine or person")->required();
}

bool SecurityCommands::Chosen() const {
  for (const CLI::App* command : {init_, token_, revoke_, renew_, certificate_}) {
    if (command->parsed()) return true;
  }
  return false;
}

absl::Status SecurityCommands::Init(absl::Time now) const {
  GS_RETURN_IF_ERROR(SecurityDirectory(directory_).Init(hosts_, now));
  const std::string dir = ShellWord(directory_);
  std::cout << fmt::format(
      "{0} holds certificates and a token for each role. Now:\n"
      "  gridsweep-coordinator --db sweeps.db --listen 0.0.0.0:7077 --security {0}\n"
      "On each machine that trains, with copies of ca.pem and worker.token:\n"
      "  gridsweep-worker --coordinator HOST:7077 --ca ca.pem --token-file worker.token\n"
      "For people, with ca.pem and the token of their role:\n"
      "  gridsweep list --coordinator HOST:7077 --ca ca.pem --token-file submitter.token\n"
      "Keep ca.key and the tokens secret: whoever has a token has its role.\n",
      dir);
  return absl::OkStatus();
}

absl::Status SecurityCommands::Run(absl::Time now) const {
  const SecurityDirectory directory(directory_);
  if (init_->parsed()) return Init(now);
  if (token_->parsed()) {
    GS_ASSIGN_OR_RETURN(const Role role, ParseRoleFlag(role_));
    GS_ASSIGN_OR_RETURN(const std::string id, directory.AddToken(role, out_));
    std::cout << fmt::format("token '{}' is in '{}'\n", id, out_);
    return absl::OkStatus();
  }
  if (revoke_->parsed()) {
    GS_RETURN_IF_ERROR(directory.Revoke(id_));
    std::cout << fmt::format("token '{}' is not accepted any more\n", id_);
    return absl::OkStatus();
  }
  if (renew_->parsed()) {
    GS_RETURN_IF_ERROR(directory.RenewServer(hosts_, now));
    std::cout << fmt::format("'{}' is new\n", directory.server_certificate());
    return absl::OkStatus();
  }
  GS_ASSIGN_OR_RETURN(const Role role, ParseRoleFlag(role_));
  GS_RETURN_IF_ERROR(directory.IssueClient(role, name_, now));
  std::cout << fmt::format("'{0}/{1}.pem' and '{0}/{1}.key' are there\n", directory_, name_);
  return absl::OkStatus();
}

}  // namespace gridsweep
