#include "coordinator/security/token_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/base/secret.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;

TEST(TokenStore, KnowsTokensByTheirHashes) {
  const TempDir dir;
  const std::string file = dir / "tokens.json";
  const NewToken worker = MakeToken(Role::kWorker), admin = MakeToken(Role::kAdmin);
  ASSERT_THAT(WriteTokens(file, {worker.entry, admin.entry}), IsOk());
  EXPECT_THAT(ReadFile(file), Not(HasSubstr(worker.token)));
  TokenStore store(file);
  ASSERT_OK_AND_ASSIGN(const auto found, store.Find(worker.token));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, worker.entry.id);
  EXPECT_EQ(found->role, Role::kWorker);
  for (const std::string& wrong : {std::string(), worker.token.substr(1), worker.token + "0", worker.entry.sha256}) {
    ASSERT_OK_AND_ASSIGN(const auto nobody, store.Find(wrong));
    EXPECT_FALSE(nobody.has_value()) << wrong;
  }
}

TEST(TokenStore, AFileThatCannotBeTrustedLetsNobodyIn) {
  const TempDir dir;
  const std::string file = dir / "tokens.json";
  const NewToken admin = MakeToken(Role::kAdmin);
  TokenStore store(file);
  EXPECT_FALSE(store.Find(admin.token).ok()) << "no file";
  ASSERT_THAT(WriteTokens(file, {admin.entry}), IsOk());
  EXPECT_TRUE(store.Find(admin.token).value().has_value());
  WriteFile(file, "[{\"id\": \"x\", \"role\": \"king\", \"sha256\": \"00\"}]");
  EXPECT_THAT(store.Find(admin.token), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("king")));
  ASSERT_THAT(WriteTokens(file, {admin.entry}), IsOk());
  chmod(file.c_str(), 0666);
  EXPECT_THAT(ReadTokens(file), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("chmod")));
}

TEST(Secrets, AreReadOnlyFromFilesOfTheirOwner) {
  const TempDir dir;
  const std::string file = dir / "secret";
  ASSERT_THAT(WriteSecretFile(file, "  abc \n", false), IsOk());
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  EXPECT_EQ(ReadSecretFile(file).value(), "abc");
  EXPECT_THAT(WriteSecretFile(file, "other", false), StatusIs(StatusCode::kAlreadyExists, testing::_));
  EXPECT_EQ(ReadSecretFile(file).value(), "abc");
  chmod(file.c_str(), 0640);
  EXPECT_THAT(ReadSecretFile(file), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("chmod 600")));
}

}  // namespace
}  // namespace gridsweep
