#include "worker/trainer/checkpoint.h"

#include <charconv>
#include <set>
#include <utility>

#include "common/base/version.h"
#include "worker/trainer/checkpoint_folder.h"
#include "worker/trainer/metrics_json.h"
#include "worker/trainer/tensor_bytes.h"
#include "worker/trainer/torch_guard.h"

namespace gridsweep {
namespace {

constexpr const char* kFormat = "gridsweep checkpoint";
constexpr const char* kFormatVersion = "1";

std::string Numbered(std::string_view name, size_t i) {
  return fmt::format("{}.{}", name, i);
}

std::string RecordName(int64_t epoch) {
  return fmt::format("record.{}", epoch);
}

void AddList(TensorFile& file, const std::string& name, const std::vector<at::Tensor>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i) file.Add(Numbered(name, i), tensors[i]);
}

void AddModel(TensorFile& file, const std::string& name, const ModelState& model) {
  file.Add(name + ".values", model.values);
  AddList(file, name + ".buffer", model.buffers);
}

// Takes what it knows out of a file, so that what is left over shows.
class Reader {
 public:
  explicit Reader(const SafeTensors& content) : content_(content) {}

  absl::StatusOr<std::string> Text(const std::string& key) const {
    const auto it = content_.metadata.find(key);
    if (it == content_.metadata.end()) return InvalidArgument("it has no metadata '{}'", key);
    return it->second;
  }

  absl::StatusOr<int64_t> Count(const std::string& key) const {
    GS_ASSIGN_OR_RETURN(const std::string text, Text(key));
    int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 0)
      return InvalidArgument("its metadata '{}' is no count", key);
    return count;
  }

  // FAILED_PRECONDITION if the metadata `key` is not `expected`.
  absl::Status Expect(const std::string& key, const std::string& expected) const {
    GS_ASSIGN_OR_RETURN(const std::string text, Text(key));
    if (text == expected) return absl::OkStatus();
    // Jobs are long, and what differs is a word.
    if (key == "job") return FailedPrecondition("it is of another job");
    return FailedPrecondition("its {} is '{}', not '{}'", key, text, expected);
  }

  absl::StatusOr<at::Tensor> Take(const std::string& name, at::ScalarType type) {
    const auto it = content_.tensors.find(name);
    if (it == content_.tensors.end()) return InvalidArgument("it has no tensor '{}'", name);
    absl::StatusOr<at::Tensor> tensor = TensorOf(it->second, type);
    if (!tensor.ok()) return Annotate(tensor.status(), fmt::format("tensor '{}'", name));
    taken_.insert(name);
    return tensor;
  }

  // name.0, name.1, … as far as there are any.
  absl::StatusOr<std::vector<at::Tensor>> TakeList(const std::string& name) {
    std::vector<at::Tensor> tensors;
    while (content_.tensors.contains(Numbered(name, tensors.size()))) {
      GS_ASSIGN_OR_RETURN(tensors.emplace_back(), Take(Numbered(name, tensors.size()), at::kFloat));
    }
    return tensors;
  }

  absl::StatusOr<ModelState> TakeModel(const std::string& name) {
    ModelState model;
    GS_ASSIGN_OR_RETURN(model.values, Take(name + ".values", at::kFloat));
    GS_ASSIGN_OR_RETURN(model.buffers, TakeList(name + ".buffer"));
    return model;
  }

  bool Has(const std::string& name) const { return content_.tensors.contains(name); }

  absl::Status NothingLeft() const {
    for (const auto& [name, tensor] : content_.tensors) {
      if (!taken_.contains(name)) return InvalidArgument("it has a tensor '{}' that is not known", name);
    }
    return absl::OkStatus();
  }

 private:
  const SafeTensors& content_;
  std::set<std::string> taken_;
};

absl::StatusOr<std::vector<EpochMetrics>> ReadEpochs(const std::string& text) {
  GS_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  if (!json.is_array() || json.empty()) return InvalidArgument("it has no epochs");
  std::vector<EpochMetrics> epochs;
  for (const Json& item : json) {
    GS_ASSIGN_OR_RETURN(epochs.emplace_back(), MetricsFromJson(item));
    if (epochs.back().epoch != static_cast<int64_t>(epochs.size()))
      return InvalidArgument("its epochs are not in order");
  }
  return epochs;
}

absl::StatusOr<std::shared_ptr<const EpochRecord>> ReadRecord(Reader& reader, const EpochMetrics& metrics,
                                                              bool last, const ModelState& model) {
  const std::string name = RecordName(metrics.epoch);
  EpochRecord record;
  record.epoch = metrics.epoch;
  record.test.loss = metrics.test_loss;
  record.test.accuracy = metrics.test_accuracy;
  GS_ASSIGN_OR_RETURN(record.test.predicted, reader.Take(name + ".predicted", at::kLong));
  GS_ASSIGN_OR_RETURN(record.test.confidence, reader.Take(name + ".confidence", at::kFloat));
  if (last) {
    record.model = model;
  } else {
    GS_ASSIGN_OR_RETURN(record.model, reader.TakeModel(name));
  }
  return std::make_shared<const EpochRecord>(std::move(record));
}

absl::StatusOr<Checkpoint> Read(std::string_view file, const CheckpointIdentity& identity) {
  GS_ASSIGN_OR_RETURN(const SafeTensors content, ParseSafeTensors(file));
  Reader reader(content);
  GS_RETURN_IF_ERROR(reader.Expect("format", kFormat));
  GS_RETURN_IF_ERROR(reader.Expect("format_version", kFormatVersion));
  GS_RETURN_IF_ERROR(reader.Expect("gridsweep_version", identity.version));
  GS_RETURN_IF_ERROR(reader.Expect("job", identity.job));
  GS_RETURN_IF_ERROR(reader.Expect("environment", identity.environment));
  GS_ASSIGN_OR_RETURN(const int64_t epoch, reader.Count("epoch"));
  GS_ASSIGN_OR_RETURN(const std::string epochs, reader.Text("epochs"));
  Checkpoint checkpoint;
  GS_ASSIGN_OR_RETURN(checkpoint.epochs, ReadEpochs(epochs));
  if (epoch != static_cast<int64_t>(checkpoint.epochs.size()))
    return InvalidArgument("it is of epoch {} and has {} epochs", epoch, checkpoint.epochs.size());
  SessionState& session = checkpoint.state.session;
  GS_ASSIGN_OR_RETURN(session.model, reader.TakeModel("model"));
  GS_ASSIGN_OR_RETURN(session.optimizer.buffers, reader.TakeList("optimizer"));
  GS_ASSIGN_OR_RETURN(session.optimizer.steps, reader.Count("optimizer_steps"));
  GS_ASSIGN_OR_RETURN(session.dropout, reader.Take("generator.dropout", at::kByte));
  GS_ASSIGN_OR_RETURN(checkpoint.state.shuffle, reader.Take("generator.shuffle", at::kByte));
  for (const EpochMetrics& metrics : checkpoint.epochs) {
    if (!reader.Has(RecordName(metrics.epoch) + ".predicted")) continue;
    GS_ASSIGN_OR_RETURN(checkpoint.records[metrics.epoch],
                        ReadRecord(reader, metrics, metrics.epoch == epoch, session.model));
  }
  GS_RETURN_IF_ERROR(reader.NothingLeft());
  return checkpoint;
}

}  // namespace

CheckpointIdentity CheckpointIdentity::Of(JobSpec spec, const std::string& digest,
                                          const std::string& environment) {
  spec.dataset_digest = digest;
  Json job = JobSpecToJson(spec);
  job.erase("scheduler");
  job.erase("objective");
  return {job.dump(), environment, Version()};
}

absl::StatusOr<std::string> WriteCheckpoint(const Checkpoint& checkpoint,
                                            const CheckpointIdentity& identity) {
  const SessionState& session = checkpoint.state.session;
  const auto epoch = static_cast<int64_t>(checkpoint.epochs.size());
  TensorFile file;
  AddModel(file, "model", session.model);
  AddList(file, "optimizer", session.optimizer.buffers);
  file.Add("generator.dropout", session.dropout);
  file.Add("generator.shuffle", checkpoint.state.shuffle);
  for (const auto& [of, record] : checkpoint.records) {
    file.Add(RecordName(of) + ".predicted", record->test.predicted);
    file.Add(RecordName(of) + ".confidence", record->test.confidence);
    if (of != epoch) AddModel(file, RecordName(of), record->model);  // else it is the model above
  }
  Json epochs = Json::array();
  for (const EpochMetrics& metrics : checkpoint.epochs) epochs.push_back(MetricsToJson(metrics));
  return file.Write({{"format", kFormat},
                     {"format_version", kFormatVersion},
                     {"gridsweep_version", identity.version},
                     {"job", identity.job},
                     {"environment", identity.environment},
                     {"epoch", std::to_string(epoch)},
                     {"epochs", epochs.dump()},
                     {"optimizer_steps", std::to_string(session.optimizer.steps)}},
                    CheckpointFolder::kMaxBytes);
}

absl::StatusOr<Checkpoint> ReadCheckpoint(std::string_view file, const CheckpointIdentity& identity) {
  return GuardTorch([&] { return Read(file, identity); });
}

}  // namespace gridsweep
