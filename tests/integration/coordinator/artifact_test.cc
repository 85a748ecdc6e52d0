// Files of trainers on their way to a coordinator and back, over real gRPC.
#include <future>

#include "common/base/sha256.h"
#include "tests/integration/coordinator/coordinator_fixture.h"
#include "tests/support/wait_until.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr size_t kPiece = 256 << 10;

class ArtifactTest : public CoordinatorTest {
 protected:
  ArtifactTest() {
    config_.collect = absl::Milliseconds(20);
    Start();
    EXPECT_THAT(Submit("key"), IsOk());
    const absl::StatusOr<v1::SyncResponse> leased = Sync(Hello("alice", 1));
    EXPECT_THAT(leased, IsOk());
    if (leased.ok() && leased->leases_size() == 1) lease_ = leased->leases(0);
  }

  // A checkpoint of alice's lease.
  v1::ArtifactHeader Header(const std::string& bytes, int64_t epoch = 1) const {
    v1::ArtifactHeader header;
    header.set_worker("alice");
    header.set_kind(v1::ARTIFACT_CHECKPOINT);
    header.set_sha256(Sha256Hex(bytes));
    header.set_bytes(static_cast<int64_t>(bytes.size()));
    v1::ArtifactClaim& claim = *header.add_claims();
    claim.set_attempt(lease_.attempt());
    claim.set_token(lease_.token());
    claim.set_epoch(epoch);
    return header;
  }
  static void SetDeadline(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  }
  // Whether it was wanted.
  absl::StatusOr<bool> Put(const v1::ArtifactHeader& header, const std::string& bytes) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::PutArtifactResponse response;
    const auto writer = workers_->PutArtifact(&context, &response);
    v1::PutArtifactRequest request;
    *request.mutable_header() = header;
    bool goes_on = writer->Write(request);
    for (size_t begin = 0; goes_on && begin < bytes.size(); begin += kPiece) {
      request.set_data(bytes.substr(begin, kPiece));
      goes_on = writer->Write(request);
    }
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    if (!status.ok()) return FromGrpc(status);
    return response.wanted();
  }
  absl::StatusOr<bool> Put(const std::string& bytes, int64_t epoch = 1) {
    return Put(Header(bytes, epoch), bytes);
  }
  absl::StatusOr<std::string> Get(const std::string& sha256) {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::GetArtifactRequest request;
    request.set_sha256(sha256);
    const auto reader = workers_->GetArtifact(&context, request);
    std::string bytes;
    int64_t total = 0;
    for (v1::ArtifactChunk chunk; reader->Read(&chunk);) {
      if (chunk.total() > 0) total = chunk.total();
      bytes += chunk.data();
    }
    const grpc::Status status = reader->Finish();
    if (!status.ok()) return FromGrpc(status);
    EXPECT_EQ(total, static_cast<int64_t>(bytes.size()));
    return bytes;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(config_.database + ".artifacts"))
      names.push_back(file.path().filename());
    return names;
  }
  testing::AssertionResult AwaitFiles(size_t count) {
    return WaitUntil(
        fmt::format("{} files", count), [&] { return Files().size() == count; },
        [&] { return fmt::format("{} files", Files().size()); });
  }
  // What a job that is leased again may go on from.
  std::vector<std::string> CheckpointsAfterRestart() {
    v1::SyncRequest hello = Hello("alice", 1);
    hello.set_session("another session");
    clock_.Advance(absl::Minutes(10));
    const absl::StatusOr<v1::SyncResponse> leased = Sync(hello);
    EXPECT_THAT(leased, IsOk());
    if (!leased.ok() || leased->leases().empty()) return {"nothing is leased"};
    return {leased->leases(0).checkpoints().begin(), leased->leases(0).checkpoints().end()};
  }

  v1::Lease lease_;
};

TEST_F(ArtifactTest, ACheckpointComesBackAsItWas) {
  const std::string bytes(3 * kPiece + 17, 'x');
  ASSERT_OK_AND_ASSIGN(const bool wanted, Put(bytes));
  EXPECT_TRUE(wanted);
  ASSERT_OK_AND_ASSIGN(const std::string back, Get(Sha256Hex(bytes)));
  EXPECT_TRUE(back == bytes);
  EXPECT_THAT(Get(Sha256Hex("another")), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(Get("../test.db"), StatusIs(StatusCode::kInvalidArgument, _));
}

TEST_F(ArtifactTest, ItIsNotTakenFromAnyoneButTheLeaseholder) {
  v1::ArtifactHeader stale = Header("bytes");
  stale.mutable_claims(0)->set_token(std::string(32, '0'));
  EXPECT_THAT(Put(stale, "bytes"), StatusIs(StatusCode::kAborted, HasSubstr("token")));
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(ArtifactTest, OtherBytesThanAnnouncedAreRefused) {
  EXPECT_THAT(Put(Header("bytes"), "bites"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("SHA-256")));
  EXPECT_THAT(Put(Header("bytes"), "byte"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("4 bytes")));
  EXPECT_THAT(Put(Header("bytes"), "bytes and more"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("more than")));
  EXPECT_TRUE(AwaitFiles(0));
}

TEST_F(ArtifactTest, MalformedOffersAreRefused) {
  const auto refused = [&](const std::function<void(v1::ArtifactHeader&)>& change, const std::string& why) {
    v1::ArtifactHeader header = Header("bytes");
    change(header);
    EXPECT_THAT(Put(header, "bytes"), StatusIs(StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  refused([](auto& header) { header.set_bytes((64 << 20) + 1); }, "not taken");
  refused([](auto& header) { header.set_bytes(0); }, "not taken");
  refused([](auto& header) { header.set_sha256("../../etc/passwd"); }, "SHA-256");
  refused([](auto& header) { header.clear_claims(); }, "0 claims");
  refused([](auto& header) { header.clear_kind(); }, "kind");
  refused([](auto& header) { header.mutable_claims(0)->set_epoch(0); }, "epoch 0");
  grpc::ClientContext context;  // without a deadline
  v1::PutArtifactResponse response;
  const auto writer = workers_->PutArtifact(&context, &response);
  EXPECT_THAT(FromGrpc(writer->Finish()), StatusIs(StatusCode::kInvalidArgument, HasSubstr("deadline")));
}

TEST_F(ArtifactTest, WhatIsKnownIsNotSentAgain) {
  ASSERT_EQ(Put("bytes").value(), true);
  EXPECT_EQ(Put("bytes").value(), false) << "the same";
  EXPECT_EQ(Put(Header("older", 1), "older").value(), false) << "no news";
  EXPECT_EQ(Put(Header("bytes", 2), "bytes").value(), false)
      << "the content is here, and is recorded for the epoch";
  EXPECT_THAT(Files(), SizeIs(1));
  EXPECT_THAT(CheckpointsAfterRestart(), ElementsAre(Sha256Hex("bytes"), Sha256Hex("bytes")));
}

TEST_F(ArtifactTest, ALargeCheckpointStaysWhereItIsButIsKnown) {
  v1::ArtifactHeader header = Header("large");
  header.set_bytes((16 << 20) + 1);
  EXPECT_EQ(Put(header, "").value(), false);
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_THAT(CheckpointsAfterRestart(), ElementsAre(Sha256Hex("large")));
}

TEST_F(ArtifactTest, ATransferThatIsCutOffLeavesNothing) {
  const std::string bytes(4 * kPiece, 'x');
  {
    grpc::ClientContext context;
    SetDeadline(context);
    v1::PutArtifactResponse response;
    const auto writer = workers_->PutArtifact(&context, &response);
    v1::PutArtifactRequest request;
    *request.mutable_header() = Header(bytes);
    ASSERT_TRUE(writer->Write(request));
    request.set_data(bytes.substr(0, kPiece));
    ASSERT_TRUE(writer->Write(request));
    ASSERT_TRUE(AwaitFiles(1)) << "under way";
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_TRUE(AwaitFiles(0));
  EXPECT_EQ(Put(bytes).value(), true) << "the room is free again";
}

TEST_F(ArtifactTest, AStopInTheMiddleOfATransferDoesNotHang) {
  grpc::ClientContext context;
  SetDeadline(context);
  v1::PutArtifactResponse response;
  const auto writer = workers_->PutArtifact(&context, &response);
  v1::PutArtifactRequest request;
  *request.mutable_header() = Header("bytes");
  ASSERT_TRUE(writer->Write(request));
  ASSERT_TRUE(AwaitFiles(1));
  server_ = nullptr;
  EXPECT_FALSE(writer->Finish().ok());
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(ArtifactTest, WhatNothingRefersToGoes) {
  ASSERT_EQ(Put("first", 1).value(), true);
  ASSERT_EQ(Put("second", 2).value(), true);
  EXPECT_TRUE(AwaitFiles(2));
  ASSERT_EQ(Put("third", 3).value(), true);
  EXPECT_TRUE(AwaitFiles(2)) << "of a job the last two";
  v1::SyncRequest report = Hello("alice");
  report.set_sync_seq(2);
  AddReport(report, lease_, 0.5);
  ASSERT_THAT(Sync(report), IsOk());
  EXPECT_TRUE(AwaitFiles(0)) << "of a job that is over none";
  EXPECT_THAT(Put("late", 4), StatusIs(StatusCode::kAborted, _));
}

TEST_F(ArtifactTest, AFullFolderMakesRoomOrRefuses) {
  config_.artifacts_limit = 100;
  config_.collect = absl::Hours(1);
  server_ = nullptr;
  Start();
  ASSERT_EQ(Put(std::string(60, 'a'), 1).value(), true);
  EXPECT_THAT(Put(std::string(60, 'b'), 2),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("--artifacts-limit")));
  ASSERT_EQ(Put(std::string(10, 'c'), 3).value(), true);
  ASSERT_EQ(Put(std::string(10, 'd'), 4).value(), true) << "now a is of no use";
  EXPECT_EQ(Put(std::string(60, 'e'), 5).value(), true);
}

TEST_F(ArtifactTest, ADamagedFileIsReported) {
  ASSERT_EQ(Put("bytes").value(), true);
  WriteFile(config_.database + ".artifacts/" + Sha256Hex("bytes") + ".safetensors", "bites");
  EXPECT_THAT(Get(Sha256Hex("bytes")), StatusIs(StatusCode::kDataLoss, _));
  EXPECT_THAT(Get(Sha256Hex("bytes")), StatusIs(StatusCode::kNotFound, _));
}

TEST_F(ArtifactTest, AModelIsTakenFromTheAcceptedAttemptAlone) {
  v1::ArtifactHeader header = Header("weights", 2);
  header.set_kind(v1::ARTIFACT_MODEL);
  EXPECT_THAT(Put(header, "weights"), StatusIs(StatusCode::kAborted, _)) << "not accepted yet";
  v1::SyncRequest report = Hello("alice");
  report.set_sync_seq(2);
  AddReport(report, lease_, 0.5);
  ASSERT_THAT(Sync(report), IsOk());
  v1::ArtifactHeader forged = header;
  forged.mutable_claims(0)->set_token(std::string(32, '0'));
  EXPECT_THAT(Put(forged, "weights"), StatusIs(StatusCode::kAborted, _));
  ASSERT_EQ(Put(header, "weights").value(), true);
  EXPECT_EQ(Put(header, "weights").value(), false);

  v1::ListModelsRequest list;
  list.set_sweep("1");
  ASSERT_OK_AND_ASSIGN(const v1::ListModelsResponse models,
                       Call(*sweeps_, &v1::SweepService::Stub::ListModels, list));
  ASSERT_THAT(models.models(), SizeIs(1));
  EXPECT_EQ(models.models(0).epoch(), 2);
  grpc::ClientContext context;
  SetDeadline(context);
  v1::GetModelRequest get;
  get.set_job(lease_.job());
  const auto reader = sweeps_->GetModel(&context, get);
  v1::ModelPiece piece;
  ASSERT_TRUE(reader->Read(&piece));
  EXPECT_EQ(piece.summary().sha256(), Sha256Hex("weights"));
  ASSERT_TRUE(reader->Read(&piece));
  EXPECT_EQ(piece.data(), "weights");
  EXPECT_FALSE(reader->Read(&piece));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ArtifactTest, ManyTransfersAtOnce) {
  constexpr int kThreads = 8;
  std::vector<std::future<absl::StatusOr<bool>>> puts;
  for (int i = 0; i < kThreads; ++i) {
    puts.push_back(std::async(std::launch::async, [this, i] {
      return Put(std::string(2 * kPiece, static_cast<char>('a' + i)), i + 1);
    }));
  }
  for (auto& put : puts) EXPECT_THAT(put.get(), IsOk());
  EXPECT_TRUE(AwaitFiles(2));
}

}  // namespace
}  // namespace gridsweep
