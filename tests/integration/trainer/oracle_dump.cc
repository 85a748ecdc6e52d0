// Trains small jobs with the trainer's own code and writes down everything another implementation needs to repeat them:
// settings, initial weights, batches, dropout masks, learning rates; and the losses it must then see. oracle_check.py
// reads it.
//
//   trainer_oracle_dump DIR      writes DIR/cases.jsonl and one DIR/N.bin per case
#include <fstream>
#include <iostream>

#include "worker/trainer/device.h"
#include "worker/trainer/seeding.h"
#include "worker/trainer/training_session.h"

namespace gridsweep {
namespace {

constexpr int kEpochs = 5;
constexpr int kSteps = 4;  // an epoch
constexpr int kBatch = 16;
constexpr int kClasses = 10;
// What schedulers see after each epoch: two epochs without improvement lower the rate of a plateau's last epoch.
constexpr double kTestLosses[kEpochs] = {1.0, 0.9, 0.95, 0.97, 0.99};

struct Case {
  std::string name;
  int size;  // rows and columns
  Json job;
};

Json Part(const std::string& name, Json params = Json::object()) {
  return {{"name", name}, {"params", std::move(params)}};
}

Json SmallModel(const std::string& name, bool batch_norm) {
  return name == "mlp" ? Part("mlp", {{"hidden", {24, 16}}, {"batch_norm", batch_norm}})
                       : Part("cnn", {{"channels", {4, 6}}, {"hidden", 16}, {"batch_norm", batch_norm}});
}

Json Job(Json model, Json activation, Json optimizer, Json regularization, Json scheduler) {
  return {{"model", std::move(model)},
          {"activation", std::move(activation)},
          {"optimizer", std::move(optimizer)},
          {"regularization", std::move(regularization)},
          {"scheduler", std::move(scheduler)},
          {"dataset", "oracle"},
          {"dataset_digest", ""},
          {"objective", {{"metric", "test_loss"}, {"goal", "min"}, {"epoch", "best"}}},
          {"seed", 7},
          {"training", {{"batch_size", kBatch}, {"epochs", kEpochs}, {"samples", 0}, {"validation", 0}}}};
}

std::vector<Case> Cases() {
  const Json l1 = Part("l1", {{"lambda", 1e-3}}), l2 = Part("l2", {{"lambda", 1e-2}}),
             dropout = Part("dropout");
  const std::vector<Json> optimizers = {Part("adam"),    Part("adamw"),
                                        Part("sgd"),     Part("sgd", {{"nesterov", true}}),
                                        Part("rmsprop"), Part("rmsprop", {{"momentum", 0.5}}),
                                        Part("adagrad"), Part("sgd", {{"momentum", 0.0}})};
  const std::vector<Json> regularizations = {Json::array(), Json::array({l1}), Json::array({l2}),
                                             Json::array({dropout}), Json::array({dropout, l1, l2})};
  const std::vector<Json> schedulers = {Part("none"), Part("step", {{"step_size", 2}}), Part("plateau"),
                                        Part("exponential"), Part("cosine", {{"min_lr", 1e-4}})};
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, int size, Json job) {
    cases.push_back({name, size, std::move(job)});
  };
  for (const char* model : {"mlp", "cnn"}) {
    for (const Json& optimizer : optimizers) {
      for (const Json& regularization : regularizations) {
        for (const Json& scheduler : schedulers) {
          add(fmt::format("{} {} {} {}", model, optimizer.dump(), regularization.dump(), scheduler.dump()),
              12, Job(SmallModel(model, true), Part("relu"), optimizer, regularization, scheduler));
        }
      }
    }
    for (const char* activation : {"relu", "leaky_relu", "elu", "tanh", "gelu", "silu"}) {
      for (const bool batch_norm : {true, false}) {
        add(fmt::format("{} {} batch_norm={}", model, activation, batch_norm), 13,
            Job(SmallModel(model, batch_norm), Part(activation), Part("adam"), Json::array({dropout}),
                Part("none")));
      }
    }
    add(fmt::format("{} as in the reference study", model), 28,
        Job(Part(model), Part("relu"), Part("adam"), Json::array({dropout}), Part("none")));
  }
  return cases;
}

void WriteFloats(std::ofstream& out, const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().contiguous();
  out.write(reinterpret_cast<const char*>(dense.data_ptr<float>()),
            dense.numel() * static_cast<int64_t>(sizeof(float)));
}

// The widths after which the model drops out, in order.
std::vector<int64_t> DropoutWidths(const Component& model) {
  if (model.name == "mlp") return std::get<std::vector<int64_t>>(model.params.at("hidden"));
  return {std::get<int64_t>(model.params.at("hidden"))};
}

Json RunCase(const Case& c, const Registry& registry, Kernels kernels, std::ofstream& blob) {
  const JobSpec spec = JobSpecFromJson(c.job, registry.MakeCatalog()).value();
  TrainingSession session(spec, registry, {c.size, c.size, kClasses}, at::kCPU, kernels);
  Json shapes = Json::array();
  for (const at::Tensor& parameter : session.parameters()) {
    shapes.push_back(parameter.sizes().vec());
    WriteFloats(blob, parameter);
  }
  // Structured pictures, so that there is something to learn.
  const at::Generator data = MakeGenerator(1, "oracle", at::kCPU);
  const at::Tensor labels = at::randint(kClasses, {kSteps, kBatch}, data, at::kLong);
  const at::Tensor prototypes = at::rand({kClasses, 1, c.size, c.size}, data);
  const at::Tensor images = prototypes.index_select(0, labels.flatten())
                                .mul(0.6)
                                .add(at::rand({kSteps * kBatch, 1, c.size, c.size}, data), 0.4);
  WriteFloats(blob, images);

  double dropout = 0;
  for (const Component& component : spec.regularization) {
    if (component.name == "dropout") dropout = std::get<double>(component.params.at("p"));
  }
  const at::Generator masks = MakeGenerator(spec.seed, kDropoutPurpose, at::kCPU);
  double lr = std::get<double>(spec.optimizer.params.at("lr"));
  const auto scheduler = registry.schedulers.Make(spec.scheduler, lr, kEpochs);
  Json losses = Json::array(), rates = Json::array();
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    rates.push_back(lr);
    for (int step = 0; step < kSteps; ++step) {
      if (dropout > 0) {
        for (const int64_t width : DropoutWidths(spec.model)) {
          WriteFloats(blob, DropoutMask(at::empty({kBatch, width}), dropout, masks));
        }
      }
      const auto result = session.Step(images.narrow(0, step * kBatch, kBatch), labels[step], lr);
      losses.push_back(static_cast<double>(result.loss.item<float>()));
    }
    EpochMetrics done;
    done.epoch = epoch + 1;
    done.test_loss = kTestLosses[epoch];
    lr = scheduler->Next(done);
  }
  Json label_rows = Json::array();
  for (int step = 0; step < kSteps; ++step) {
    const auto* row = labels[step].data_ptr<int64_t>();
    label_rows.push_back(std::vector<int64_t>(row, row + kBatch));
  }
  return {{"name", fmt::format("{}, {} kernels", c.name, KernelsName(kernels))},
          {"size", c.size},
          {"classes", kClasses},
          {"batch", kBatch},
          {"epochs", kEpochs},
          {"steps", kSteps},
          {"job", JobSpecToJson(spec)},
          {"shapes", shapes},
          {"labels", label_rows},
          {"test_losses", kTestLosses},
          {"lrs", rates},
          {"losses", losses}};
}

int Main(const std::string& directory) {
  ConfigureTrainingThread();
  const Registry registry = MakeRegistry();
  std::ofstream list(directory + "/cases.jsonl");
  int number = 0;
  for (const Kernels kernels : {Kernels::kPlain, Kernels::kTuned}) {
    for (const Case& c : Cases()) {
      std::ofstream blob(fmt::format("{}/{}.bin", directory, number++), std::ios::binary);
      list << RunCase(c, registry, kernels, blob).dump() << "\n";
    }
  }
  list.close();
  std::cout << number << " cases written to " << directory << "\n";
  return list ? 0 : 1;
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: trainer_oracle_dump DIR\n";
    return 2;
  }
  return gridsweep::Main(argv[1]);
}
