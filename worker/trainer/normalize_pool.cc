#include "worker/trainer/normalize_pool.h"

#include "worker/trainer/widest.h"

namespace gridsweep {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

// Sizes of a tensor in channels-last memory, and of the pooled one.
struct Geometry {
  explicit Geometry(const at::Tensor& x)
      : images(x.size(0)),
        channels(x.size(1)),
        rows(x.size(2)),
        columns(x.size(3)),
        pooled_rows(rows / 2),
        pooled_columns(columns / 2) {}
  // Of the first channel of the upper left of the four pixels that are pooled to (row, column) of an image.
  int64_t Window(int64_t image, int64_t row, int64_t column) const {
    return ((image * rows + 2 * row) * columns + 2 * column) * channels;
  }
  int64_t Pooled(int64_t image, int64_t row, int64_t column) const {
    return ((image * pooled_rows + row) * pooled_columns + column) * channels;
  }
  int64_t images, channels, rows, columns, pooled_rows, pooled_columns;
};

// pooled = max over each window of x * scale + shift; `largest` is the x of the first that is as large, if wanted.
void PoolForward(const Geometry& g, const float* x, const float* scale, const float* shift, float* pooled,
                 float* largest) {
  const int64_t right = g.channels, down = g.columns * g.channels;
  RunWidest([&]() __attribute__((always_inline)) {
    for (int64_t image = 0; image < g.images; ++image) {
      for (int64_t row = 0; row < g.pooled_rows; ++row) {
        for (int64_t column = 0; column < g.pooled_columns; ++column) {
          const float* in = x + g.Window(image, row, column);
          float* out = pooled + g.Pooled(image, row, column);
          float* kept = largest + g.Pooled(image, row, column);
#pragma GCC ivdep
          for (int64_t c = 0; c < g.channels; ++c) {
            const float s = scale[c], t = shift[c];
            float at = in[c], best = at * s + t;
            const float b = in[c + right], y_b = b * s + t;
            at = y_b > best ? b : at;
            best = y_b > best ? y_b : best;
            const float d = in[c + down], y_d = d * s + t;
            at = y_d > best ? d : at;
            best = y_d > best ? y_d : best;
            const float e = in[c + down + right], y_e = e * s + t;
            at = y_e > best ? e : at;
            best = y_e > best ? y_e : best;
            out[c] = best;
            kept[c] = at;
          }
        }
      }
    }
  });
}

// Sums over all pooled pixels, a channel each: of the gradient, and of the gradient times (largest - mean). Added up in
// float within a row and in double beyond, in an order that no width of vectors changes.
void SumGradients(const Geometry& g, const float* gradient, const float* largest, const float* mean,
                  double* sums, double* products) {
  std::vector<float> row_sums(static_cast<size_t>(g.channels)), row_products(row_sums);
  float *a = row_sums.data(), *b = row_products.data();
  RunWidest([&]() __attribute__((always_inline)) {
    for (int64_t row = 0; row < g.images * g.pooled_rows; ++row) {
      std::fill(a, a + g.channels, 0.0F);
      std::fill(b, b + g.channels, 0.0F);
      for (int64_t column = 0; column < g.pooled_columns; ++column) {
        const float* d = gradient + (row * g.pooled_columns + column) * g.channels;
        const float* x = largest + (row * g.pooled_columns + column) * g.channels;
#pragma GCC ivdep
        for (int64_t c = 0; c < g.channels; ++c) {
          a[c] += d[c];
          b[c] += d[c] * (x[c] - mean[c]);
        }
      }
      for (int64_t c = 0; c < g.channels; ++c) {
        sums[c] += static_cast<double>(a[c]);
        products[c] += static_cast<double>(b[c]);
      }
    }
  });
}

// out = constant + slope * x, plus scale * gradient where x is the first largest of its window.
void PoolBackward(const Geometry& g, const float* x, const float* gradient, const float* scale,
                  const float* shift, const float* constant, const float* slope, float* out) {
  const int64_t right = g.channels, down = g.columns * g.channels;
  RunWidest([&]() __attribute__((always_inline)) {
    const auto plain = [&](int64_t offset) __attribute__((always_inline)) {
#pragma GCC ivdep
      for (int64_t c = 0; c < g.channels; ++c) out[offset + c] = constant[c] + slope[c] * x[offset + c];
    };
    for (int64_t image = 0; image < g.images; ++image) {
      for (int64_t row = 0; row < g.pooled_rows; ++row) {
        for (int64_t column = 0; column < g.pooled_columns; ++column) {
          const float* in = x + g.Window(image, row, column);
          const float* d = gradient + g.Pooled(image, row, column);
          float* to = out + g.Window(image, row, column);
#pragma GCC ivdep
          for (int64_t c = 0; c < g.channels; ++c) {
            const float s = scale[c], t = shift[c], k = constant[c], m = slope[c];
            const float x_a = in[c], x_b = in[c + right], x_d = in[c + down], x_e = in[c + down + right];
            const float y_a = x_a * s + t, y_b = x_b * s + t, y_d = x_d * s + t, y_e = x_e * s + t;
            const float best_b = y_b > y_a ? y_b : y_a, best_d = y_d > best_b ? y_d : best_b;
            float left = d[c] * s;  // goes to the last that beats all before it
            const float d_e = y_e > best_d ? left : 0.0F;
            left = y_e > best_d ? 0.0F : left;
            const float d_d = y_d > best_b ? left : 0.0F;
            left = y_d > best_b ? 0.0F : left;
            const float d_b = y_b > y_a ? left : 0.0F;
            left = y_b > y_a ? 0.0F : left;
            to[c] = k + m * x_a + left;
            to[c + right] = k + m * x_b + d_b;
            to[c + down] = k + m * x_d + d_d;
            to[c + down + right] = k + m * x_e + d_e;
          }
        }
        // A last odd column and row are in no window, but in the mean and the variance.
        if (g.columns % 2 != 0) {
          const int64_t last = ((image * g.rows + 2 * row) * g.columns + g.columns - 1) * g.channels;
          plain(last);
          plain(last + down);
        }
      }
      if (g.rows % 2 != 0) {
        for (int64_t column = 0; column < g.columns; ++column)
          plain(((image * g.rows + g.rows - 1) * g.columns + column) * g.channels);
      }
    }
  });
}

// What one pass needs of a normalization, float [channels] each: y = x * scale + shift.
struct Affine {
  Affine(const BatchNorm& norm, const at::Tensor& mean, const at::Tensor& var)
      : inverse_deviation(var.add(BatchNorm::kEpsilon).rsqrt_()),
        scale(norm.weight.detach() * inverse_deviation),
        shift(norm.bias.detach() - mean * scale) {}
  at::Tensor inverse_deviation, scale, shift;
};

at::Tensor EmptyPooled(const at::Tensor& x) {
  return at::empty({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, x.options(), kChannelsLast);
}

const float* Data(const at::Tensor& tensor) {
  return tensor.data_ptr<float>();
}

struct TrainingPass : Function<TrainingPass> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& running_mean,
                            const at::Tensor& running_var) {
    const auto [mean, var] = at::batch_norm_update_stats(x, running_mean, running_var, BatchNorm::kMomentum);
    const Affine affine({weight, bias, running_mean, running_var}, mean, var);
    const at::Tensor pooled = EmptyPooled(x), largest = at::empty_like(pooled);
    PoolForward(Geometry(x), Data(x), Data(affine.scale), Data(affine.shift), pooled.data_ptr<float>(),
                largest.data_ptr<float>());
    context->save_for_backward({x, largest, mean, affine.inverse_deviation, affine.scale, affine.shift});
    return pooled;
  }

  // With x̂ = (x - mean) / σ, γ the weight, N values a channel and d the gradient of the normalized values (zero but
  // where a window's largest value is): Ioffe, Szegedy (arXiv:1502.03167) give
  //   dγ = Σ d x̂,  dβ = Σ d,  dx = γ / σ (d - dβ / N - x̂ dγ / N).
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &largest = saved[1], &mean = saved[2], &inverse_deviation = saved[3],
                     &scale = saved[4], &shift = saved[5];
    const at::Tensor gradient = gradients[0].contiguous(kChannelsLast);
    const Geometry g(x);
    const auto options = mean.options().dtype(at::kDouble);
    const at::Tensor sums = at::zeros({g.channels}, options), products = at::zeros({g.channels}, options);
    SumGradients(g, Data(gradient), Data(largest), Data(mean), sums.data_ptr<double>(),
                 products.data_ptr<double>());
    const at::Tensor bias_gradient = sums.to(at::kFloat),
                     weight_gradient = (products * inverse_deviation).to(at::kFloat);
    const double n = static_cast<double>(g.images * g.rows * g.columns);
    const at::Tensor slope = (scale * inverse_deviation * weight_gradient).div_(-n);
    const at::Tensor constant = (scale * bias_gradient).div_(-n).sub_(slope * mean);
    const at::Tensor x_gradient = at::empty_like(x);
    PoolBackward(g, Data(x), Data(gradient), Data(scale), Data(shift), Data(constant), Data(slope),
                 x_gradient.data_ptr<float>());
    return {x_gradient, weight_gradient, bias_gradient, {}, {}};
  }
};

}  // namespace

at::Tensor NormalizeAndPool(const at::Tensor& x, const BatchNorm& norm, bool training) {
  const at::Tensor dense = x.contiguous(kChannelsLast);
  if (training)
    return TrainingPass::apply(dense, norm.weight, norm.bias, norm.running_mean, norm.running_var);
  const Affine affine(norm, norm.running_mean, norm.running_var);
  const at::Tensor pooled = EmptyPooled(dense), largest = at::empty_like(pooled);
  PoolForward(Geometry(dense), Data(dense), Data(affine.scale), Data(affine.shift), pooled.data_ptr<float>(),
              largest.data_ptr<float>());
  return pooled;
}

}  // namespace gridsweep
