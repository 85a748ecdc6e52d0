#include "worker/trainer/training_session.h"

#include "worker/trainer/seeding.h"

namespace gridsweep {
namespace {

void AddPenalties(const Regularization& regularization, const FlatParameters& flat) {
  if (regularization.l2 != 0) flat.gradients.add_(flat.values, regularization.l2);
  if (regularization.l1 != 0) {
    flat.gradients.narrow(0, 0, flat.weights)
        .add_(flat.values.narrow(0, 0, flat.weights).sign(), regularization.l1);
  }
}

std::vector<at::Tensor> Copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> out;
  for (const at::Tensor& tensor : tensors) out.push_back(tensor.clone());
  return out;
}

// Whether `tensors` can be copied into `own`.
absl::Status CheckAlike(const char* what, const std::vector<at::Tensor>& tensors,
                        const std::vector<at::Tensor>& own) {
  bool alike = tensors.size() == own.size();
  for (size_t i = 0; alike && i < own.size(); ++i) {
    alike = tensors[i].scalar_type() == own[i].scalar_type() && tensors[i].sizes() == own[i].sizes();
  }
  if (alike) return absl::OkStatus();
  return InvalidArgument("the {} have other shapes than this model's", what);
}

}  // namespace

TrainingSession::TrainingSession(const JobSpec& spec, const Registry& registry, const ImageShape& shape,
                                 at::Device device, Kernels kernels)
    : dropout_(MakeGenerator(spec.seed, kDropoutPurpose, device)) {
  for (const Component& component : spec.regularization)
    registry.regularizers.Make(component, regularization_);
  const ModelContext context{shape.rows, shape.columns, shape.classes,
                             registry.activations.Make(spec.activation),
                             Dropout(regularization_.dropout, dropout_)};
  LayerBuilder build(MakeGenerator(spec.seed, kInitPurpose, at::kCPU), kernels);
  model_ = registry.models.Make(spec.model, context, build);
  parameters_ = build.parameters();
  parameter_names_ = build.parameter_names();
  buffer_names_ = build.buffer_names();
  flat_ = Flatten(parameters_, device);
  buffers_ = build.buffers();
  for (at::Tensor& buffer : buffers_) buffer.set_data(buffer.to(device));
  optimizer_ = registry.optimizers.Make(spec.optimizer, flat_);
}

TrainingSession::StepResult TrainingSession::Step(const at::Tensor& images, const at::Tensor& labels,
                                                  double lr) {
  flat_.gradients.zero_();
  const at::Tensor log_probabilities = at::log_softmax(model_->Forward(images, /*training=*/true), 1);
  const at::Tensor loss = at::nll_loss(log_probabilities, labels);
  loss.backward();
  const c10::NoGradGuard no_grad;
  AddPenalties(regularization_, flat_);
  optimizer_->Step(lr);
  return {loss.detach(), log_probabilities.detach().argmax(1).eq(labels).sum()};
}

at::Tensor TrainingSession::Predict(const at::Tensor& images) {
  const c10::InferenceMode inference;
  return at::log_softmax(model_->Forward(images, /*training=*/false), 1);
}

SessionState TrainingSession::Save() {
  const OptimizerState& optimizer = optimizer_->state();
  return {{flat_.values.clone(), Copies(buffers_)},
          {Copies(optimizer.buffers), optimizer.steps},
          dropout_.get_state()};
}

void TrainingSession::Restore(const SessionState& state) {
  const c10::NoGradGuard no_grad;
  const auto copy_into = [](const std::vector<at::Tensor>& tensors, const std::vector<at::Tensor>& from) {
    for (size_t i = 0; i < tensors.size(); ++i) tensors[i].copy_(from[i]);
  };
  flat_.values.copy_(state.model.values);
  copy_into(buffers_, state.model.buffers);
  copy_into(optimizer_->state().buffers, state.optimizer.buffers);
  optimizer_->state().steps = state.optimizer.steps;
  dropout_.set_state(state.dropout);
}

absl::Status TrainingSession::Check(const ModelState& state) const {
  GS_RETURN_IF_ERROR(CheckAlike("parameters", {state.values}, {flat_.values}));
  return CheckAlike("buffers", state.buffers, buffers_);
}

absl::Status TrainingSession::Check(const SessionState& state) const {
  GS_RETURN_IF_ERROR(Check(state.model));
  GS_RETURN_IF_ERROR(
      CheckAlike("state of the optimizer", state.optimizer.buffers, optimizer_->state().buffers));
  return CheckGeneratorState(dropout_, state.dropout);
}

ModelState TrainingSession::SaveModel() const {
  const auto copy = [](const at::Tensor& tensor) {
    return tensor.detach().to(at::kCPU, tensor.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
  };
  ModelState state{copy(flat_.values), {}};
  for (const at::Tensor& buffer : buffers_) state.buffers.push_back(copy(buffer));
  return state;
}

std::map<std::string, at::Tensor> TrainingSession::Named(const ModelState& state) const {
  std::map<std::string, at::Tensor> named;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor& parameter = parameters_[i];  // a view of flat_.values
    named[parameter_names_[i]] =
        state.values.narrow(0, parameter.storage_offset(), parameter.numel()).view(parameter.sizes());
  }
  for (size_t i = 0; i < buffers_.size(); ++i) named[buffer_names_[i]] = state.buffers[i];
  return named;
}

bool TrainingSession::ParametersFinite() const {
  return flat_.values.isfinite().all().item<bool>();
}

}  // namespace gridsweep
