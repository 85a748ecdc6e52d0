#include "worker/trainer/evaluation.h"

#include <algorithm>

namespace gridsweep {
namespace {

// On the CPU, activations of this many images stay below glibc's largest threshold for giving memory back.
int64_t BatchSize(const at::Tensor& on_device) {
  return on_device.is_cuda() ? 1024 : 256;
}

}  // namespace

std::optional<Measurement> Measure(TrainingSession& session, const ImageSet& set, const at::Tensor& indices,
                                   const BatchDone& done) {
  const int64_t n = indices.size(0), step = BatchSize(indices);
  at::Tensor loss = at::zeros({}, indices.options().dtype(at::kDouble));
  at::Tensor correct = at::zeros({}, indices.options());
  std::vector<at::Tensor> predicted, confidence;
  for (int64_t begin = 0; begin < n; begin += step) {
    const int64_t count = std::min(step, n - begin);
    const Batch batch = Gather(set, indices.narrow(0, begin, count));
    const at::Tensor log_probabilities = session.Predict(batch.images);
    const auto [best, index] = log_probabilities.max(1);
    loss.sub_(log_probabilities.gather(1, batch.labels.unsqueeze(1)).sum(at::kDouble));
    correct.add_(index.eq(batch.labels).sum());
    predicted.push_back(index);
    confidence.push_back(best.exp());
    if (!done(count)) return std::nullopt;
  }
  const auto count = static_cast<double>(n);
  return Measurement{loss.item<double>() / count, static_cast<double>(correct.item<int64_t>()) / count,
                     at::cat(predicted), at::cat(confidence)};
}

Evaluation Summarize(const Measurement& measurement, const ImageSet& test, int64_t classes) {
  const at::Tensor predicted = measurement.predicted.cpu(), actual = test.labels.cpu();
  const at::Tensor confidence = measurement.confidence.cpu();
  const at::Tensor counts = at::bincount(actual * classes + predicted, {}, classes * classes);
  Evaluation evaluation;
  const auto* begin = counts.data_ptr<int64_t>();
  evaluation.confusion.assign(begin, begin + counts.numel());
  const int64_t sampled = std::min(kSampledImages, test.size());
  for (int64_t k = 0; k < sampled; ++k) {
    const int64_t i = k * test.size() / sampled;
    evaluation.predictions.push_back({i, actual.data_ptr<int64_t>()[i], predicted.data_ptr<int64_t>()[i],
                                      static_cast<double>(confidence.data_ptr<float>()[i])});
  }
  return evaluation;
}

}  // namespace gridsweep
