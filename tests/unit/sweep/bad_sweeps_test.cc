// Every kind of bad file: one clear message with its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <string>
#include <utility>

#include "common/sweep/sweep_file.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/sweep/sweep_text.h"

namespace gridsweep {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::StartsWith;

struct BadFile {
  std::string text;
  std::string message;  // the whole of it
};

class BadFiles : public testing::TestWithParam<BadFile> {};

TEST_P(BadFiles, GetOneClearMessage) {
  const auto spec = Parse(GetParam().text);
  ASSERT_FALSE(spec.ok()) << GetParam().text;
  EXPECT_EQ(spec.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(spec.status()), GetParam().message) << GetParam().text;
}

const std::string kAxes = "expected one of model, activation, optimizer, regularization, scheduler";
const std::string kTop = "expected one of name, dataset, training, objective, seeds, grid, exclude";

INSTANTIATE_TEST_SUITE_P(
    Documents, BadFiles,
    testing::Values(
        BadFile{"", "s.yaml:1:1: the file is empty, expected a sweep"},
        BadFile{"# only a comment\n", "s.yaml:1:1: the file is empty, expected a sweep"},
        BadFile{"~\n", "s.yaml:1:1: the file is empty, expected a sweep"},
        BadFile{"just text",
                "s.yaml:1:1: expected a sweep with the keys name, dataset and grid, got 'just text'"},
        BadFile{"[a, b]", "s.yaml:1:1: expected a sweep with the keys name, dataset and grid, got a list"},
        BadFile{"name: x\ngrid: [", "s.yaml:2:1: not valid YAML: end of sequence flow not found"},
        BadFile{"name: \"x", "s.yaml:1:9: not valid YAML: illegal EOF in scalar"},
        BadFile{"name: a\nname: b\n", "s.yaml:2:1: key 'name' appears twice"},
        BadFile{"name: a\n--- \nname: b\n",
                "s.yaml:2:1: a second document, expected only one in a sweep file"},
        BadFile{"name: &x a\n",
                "s.yaml:1:7: an anchor (&name): anchors are not supported, write the value out"},
        BadFile{"a: &x [*x]\n",
                "s.yaml:1:4: an anchor (&name): anchors are not supported, write the value out"},
        BadFile{"name: *x\n", "s.yaml:1:7: not valid YAML: the referenced anchor is not defined"},
        BadFile{"name: !!python/object:os.system a\n",
                "s.yaml:1:7: a tag 'tag:yaml.org,2002:python/object:os.system': tags are not supported"},
        BadFile{"{[a]: b}", "s.yaml:1:2: a list as a key, expected a name"},
        BadFile{"~: b", "s.yaml:1:1: nothing as a key, expected a name"},
        BadFile{std::string("name: a\0b", 9),
                "s.yaml:1:8: not a text file: byte 0x00, expected YAML in UTF-8"},
        BadFile{"\x7f"
                "ELF\x02\x01",
                "s.yaml:1:1: not a text file: byte 0x7f, expected YAML in UTF-8"},
        BadFile{"name: é\nx: \xff", "s.yaml:2:4: not UTF-8: byte 0xff, expected YAML in UTF-8"},
        BadFile{"name: é, é, \xff", "s.yaml:1:13: not UTF-8: byte 0xff, expected YAML in UTF-8"}));

INSTANTIATE_TEST_SUITE_P(
    Settings, BadFiles,
    testing::Values(
        BadFile{"dataset: d\n", "s.yaml:1:1: missing key 'name'"},
        BadFile{"name: n\n", "s.yaml:1:1: missing key 'dataset'"},
        BadFile{"name: n\ndataset: d\n", "s.yaml:1:1: missing key 'grid'"},
        BadFile{"name:\ndataset: d\n", "s.yaml:1:1: name: expected a name, got nothing"},
        BadFile{"name: a b\n",
                "s.yaml:1:7: name: expected 1 to 64 letters, digits, '.', '_' or '-', not starting with '.', "
                "got 'a b'"},
        BadFile{"dataset: d\nname: ../x\n",
                "s.yaml:2:7: name: expected 1 to 64 letters, digits, '.', '_' or '-', not starting with '.', "
                "got '../x'"},
        BadFile{"name: n\ndataset: /etc/passwd\n",
                "s.yaml:2:10: dataset: expected 1 to 128 letters, digits, '.', '_' or '-', not starting with "
                "'.', got "
                "'/etc/passwd'"},
        BadFile{SweepText("model: mlp", "objectiv: x"),
                "s.yaml:3:1: unknown key 'objectiv' (did you mean 'objective'?), " + kTop},
        BadFile{SweepText("model: mlp", "training: 10"),
                "s.yaml:3:11: training: expected a map such as {epochs: 10, batch_size: 128}, got '10'"},
        BadFile{
            SweepText("model: mlp", "training: { epoch: 10 }"),
            "s.yaml:3:13: training: unknown key 'epoch' (did you mean 'epochs'?), expected one of epochs, "
            "batch_size, validation, samples"},
        BadFile{SweepText("model: mlp", "training: { epochs: 0 }"),
                "s.yaml:3:21: training, 'epochs': expected int in [1, 10000], got 0"},
        BadFile{SweepText("model: mlp", "training: { epochs: ten }"),
                "s.yaml:3:21: training, 'epochs': expected int in [1, 10000], got 'ten'"},
        BadFile{SweepText("model: mlp", "training: { epochs: \"10\" }"),
                "s.yaml:3:21: training, 'epochs': expected int in [1, 10000], got the string '10' (remove "
                "the quotes)"},
        BadFile{SweepText("model: mlp", "training: { epochs: 017 }"),
                "s.yaml:3:21: training, 'epochs': expected int in [1, 10000], got '017' (write it without "
                "the leading "
                "zero)"},
        BadFile{SweepText("model: mlp", "training: { epochs: 3.0 }"),
                "s.yaml:3:21: training, 'epochs': expected int in [1, 10000], got 3"},
        BadFile{SweepText("model: mlp", "training: { epochs: [1, 2] }"),
                "s.yaml:3:21: training, 'epochs': expected int in [1, 10000], got a list: training settings "
                "are not "
                "part of the grid"},
        BadFile{SweepText("model: mlp", "training: { epochs: 99999999999999999999 }"),
                "s.yaml:3:21: training, 'epochs': expected int in [1, 10000], got '99999999999999999999' "
                "(too large)"},
        BadFile{SweepText("model: mlp", "training: { validation: 1 }"),
                "s.yaml:3:25: training, 'validation': expected float in [0, 1), got 1"},
        BadFile{SweepText("model: mlp", "training: { validation: .nan }"),
                "s.yaml:3:25: training, 'validation': expected float in [0, 1), got '.nan'"},
        BadFile{SweepText("model: mlp", "training: { validation: 1e400 }"),
                "s.yaml:3:25: training, 'validation': expected float in [0, 1), got '1e400' (beyond the "
                "range of a "
                "64-bit float)"},
        BadFile{
            SweepText("model: mlp", "objective: accuracy"),
            "s.yaml:3:12: objective: unknown metric 'accuracy', expected one of train_loss, train_accuracy, "
            "val_loss, val_accuracy, test_loss, test_accuracy"},
        BadFile{SweepText("model: mlp", "objective: { goal: max }"),
                "s.yaml:3:12: objective: missing key 'metric'"},
        BadFile{SweepText("model: mlp", "objective: { metric: val_loss, epoch: first }"),
                "s.yaml:3:39: objective: unknown epoch 'first', expected best or last"},
        BadFile{SweepText("model: mlp", "objective: [val_loss]"),
                "s.yaml:3:12: objective: expected a name, got a list"},
        BadFile{
            SweepText("model: mlp", "training: { validation: 0 }\nobjective: val_loss"),
            "s.yaml:4:12: objective 'val_loss' needs held-out images, but training has validation: 0; write "
            "objective: test_loss, or hold some out, such as validation: 0.1"},
        BadFile{SweepText("model: mlp", "seeds: 0"),
                "s.yaml:3:8: seeds (how many, or a list): expected int in [1, 100000], got 0"},
        BadFile{SweepText("model: mlp", "seeds: []"),
                "s.yaml:3:8: seeds: an empty list, expected at least one seed"},
        BadFile{SweepText("model: mlp", "seeds: [1, 2, 1]"), "s.yaml:3:15: seeds: 1 appears twice"},
        BadFile{SweepText("model: mlp", "seeds: [-1]"),
                "s.yaml:3:9: seeds: expected int in [0, 4294967295], got -1"}));

INSTANTIATE_TEST_SUITE_P(
    Grids, BadFiles,
    testing::Values(
        BadFile{"name: n\ndataset: d\ngrid: mlp\n",
                "s.yaml:3:7: grid: expected a map of axes such as {model: [mlp, cnn]}, got 'mlp'"},
        BadFile{SweepText("optimiser: adam"),
                "s.yaml:4:3: grid: unknown key 'optimiser' (did you mean 'optimizer'?), " + kAxes},
        BadFile{SweepText("optimizer: []"),
                "s.yaml:4:14: optimizer: an empty list, expected at least one value"},
        BadFile{
            SweepText("optimizer:"),
            "s.yaml:4:3: optimizer: expected a component's name or {name: {parameter: value}}, got nothing"},
        BadFile{SweepText("scheduler: [~]"),
                "s.yaml:4:15: scheduler: expected a component's name or {name: {parameter: value}}, got "
                "nothing (write "
                "none)"},
        BadFile{
            SweepText("optimizer: [adam, adm]"),
            "s.yaml:4:21: unknown optimizer 'adm' (did you mean 'adam'?), expected one of adam, adamw, sgd, "
            "rmsprop, adagrad"},
        BadFile{SweepText("regularization: [no]"),
                "s.yaml:4:20: unknown regularization 'no', expected one of none, l1, "
                "l2, dropout"},
        BadFile{SweepText("activation: [{ relu: { slope: 0.1 } }]"),
                "s.yaml:4:26: activation 'relu' has no parameters, got 'slope'"},
        BadFile{SweepText("optimizer: [{ sgd: { learning_rate: 0.1 } }]"),
                "s.yaml:4:24: optimizer 'sgd' has no parameter 'learning_rate' (did you mean 'lr'?), "
                "expected one of "
                "lr, momentum, nesterov"},
        BadFile{SweepText("optimizer: [{ sgd: { lr: [0.1, fast] } }]"),
                "s.yaml:4:34: optimizer 'sgd', parameter 'lr': expected float in (0, 10], got 'fast'"},
        BadFile{SweepText("optimizer: [{ sgd: { lr: 11 } }]"),
                "s.yaml:4:28: optimizer 'sgd', parameter 'lr': expected float in (0, 10], got 11"},
        BadFile{SweepText("optimizer: [{ sgd: { lr: [] } }]"),
                "s.yaml:4:28: optimizer 'sgd', parameter 'lr': an empty list, expected at least one value"},
        BadFile{SweepText("optimizer: [{ sgd: { lr: [[0.1]] } }]"),
                "s.yaml:4:29: optimizer 'sgd', parameter 'lr': expected float in (0, 10], got a list"},
        BadFile{SweepText("optimizer: [{ sgd: { lr: { a: 1 } } }]"),
                "s.yaml:4:28: optimizer 'sgd', parameter 'lr': expected float in (0, 10], got a map"},
        BadFile{SweepText("optimizer: [{ sgd: { nesterov: yes } }]"),
                "s.yaml:4:34: optimizer 'sgd', parameter 'nesterov': expected true or false, got 'yes' "
                "(write true)"},
        BadFile{SweepText("optimizer: [{ sgd: 0.1 }]"),
                "s.yaml:4:22: optimizer 'sgd': expected a map of parameters such as {lr: 0.05}, got '0.1'"},
        BadFile{
            SweepText("optimizer: [[adam]]"),
            "s.yaml:4:15: optimizer: expected a component's name or {name: {parameter: value}}, got a list"},
        BadFile{
            SweepText("optimizer: [{}]"),
            "s.yaml:4:15: optimizer: expected a component's name or {name: {parameter: value}}, got a map"},
        BadFile{
            SweepText("optimizer: [{ adam: , sgd: }]"),
            "s.yaml:4:25: optimizer: expected one component a value, got 'adam' and 'sgd': write them as two "
            "elements of the list"},
        BadFile{SweepText("optimizer:\n  - sgd:\n    lr: 0.1"),
                "s.yaml:6:7: 'lr' is a parameter of optimizer 'sgd': indent it below 'sgd', or write {sgd: "
                "{lr: 0.1}}"},
        BadFile{SweepText("model: [{ mlp: { hidden: 64 } }]"),
                "s.yaml:4:28: model 'mlp', parameter 'hidden': expected int list of 1 to 8 elements in [1, "
                "4096], got "
                "'64' (write [64])"},
        BadFile{SweepText("model: [{ mlp: { hidden: [64, x] } }]"),
                "s.yaml:4:33: model 'mlp', parameter 'hidden': expected int list of 1 to 8 elements in [1, "
                "4096], got "
                "'x'"},
        BadFile{SweepText("model: [{ mlp: { hidden: [[64], 32] } }]"),
                "s.yaml:4:35: model 'mlp', parameter 'hidden': expected int list of 1 to 8 elements in [1, "
                "4096], got "
                "'32' (write [32])"},
        BadFile{SweepText("model: [{ mlp: { hidden: [] } }]"),
                "s.yaml:4:28: model 'mlp', parameter 'hidden': expected int list of 1 to 8 elements in [1, "
                "4096], got "
                "[]"},
        BadFile{SweepText("model: [{ cnn: { channels: [1,2,3,4,5] } }]"),
                "s.yaml:4:30: model 'cnn', parameter 'channels': expected int list of 1 to 4 elements in [1, "
                "512], got 5 "
                "elements"},
        BadFile{
            SweepText("regularization: [[l1, l2]]"),
            "s.yaml:4:20: regularization: expected a component, got a list: write a combination as a map, "
            "{l2: 1.0e-4, dropout: 0.3}"},
        BadFile{SweepText("regularization: [{ none: , l2: }]"),
                "s.yaml:4:20: regularization: 'none' cannot be combined with others"}));

const std::string kTwoByTwo = "model: [mlp, cnn]\noptimizer: [adam, { sgd: { lr: [0.1, 0.2] } }]";

INSTANTIATE_TEST_SUITE_P(
    Exclusions, BadFiles,
    testing::Values(
        BadFile{SweepText(kTwoByTwo, "exclude: { model: mlp }"),
                "s.yaml:3:10: exclude: expected a list of rules, got a map"},
        BadFile{SweepText(kTwoByTwo, "exclude: [mlp]"),
                "s.yaml:3:11: exclude: expected a rule such as {model: mlp, optimizer: sgd}, got 'mlp'"},
        BadFile{SweepText(kTwoByTwo, "exclude: [{}]"),
                "s.yaml:3:11: exclude: expected a rule such as {model: mlp, optimizer: sgd}, got a map"},
        BadFile{SweepText(kTwoByTwo, "exclude: [{ modl: mlp }]"),
                "s.yaml:3:13: exclude: unknown key 'modl' (did you mean 'model'?), " + kAxes},
        BadFile{SweepText(kTwoByTwo, "exclude: [{ model: mpl }]"),
                "s.yaml:3:20: unknown model 'mpl' (did you mean 'mlp'?), expected one of mlp, cnn"},
        BadFile{SweepText(kTwoByTwo, "exclude: [{ model: [] }]"),
                "s.yaml:3:20: exclude, model: an empty list, expected at least one value"},
        BadFile{
            SweepText(kTwoByTwo, "exclude: [{ optimizer: rmsprop }]"),
            "s.yaml:3:24: optimizer 'rmsprop' excludes nothing: the grid has adam, sgd(lr=0.1), sgd(lr=0.2)"},
        BadFile{SweepText(kTwoByTwo, "exclude: [{ optimizer: { sgd: { lr: 0.3 } } }]"),
                "s.yaml:3:24: optimizer '{sgd: {lr: 0.3}}' excludes nothing: the grid has adam, sgd(lr=0.1), "
                "sgd(lr=0.2)"},
        BadFile{SweepText(kTwoByTwo, "exclude: [{ optimizer: { sgd: { lr: 30 } } }]"),
                "s.yaml:3:37: optimizer 'sgd', parameter 'lr': expected float in (0, 10], got 30"},
        BadFile{SweepText(kTwoByTwo, "exclude: [{ regularization: none }]"),
                "s.yaml:3:10: exclude: the rules remove every combination, 6 of 6"},
        BadFile{SweepText(kTwoByTwo, "exclude: [{ model: mlp }, { model: cnn }]"),
                "s.yaml:3:10: exclude: the rules remove every combination, 6 of 6"}));

std::string Repeated(const std::string& unit, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

// A list of n different numbers: ints from 1, or floats below 1.
std::string Ints(int n) {
  std::string text = "[1";
  for (int i = 2; i <= n; ++i) text += fmt::format(", {}", i);
  return text + "]";
}
std::string Floats(int n) {
  std::string text = "[0.0001";
  for (int i = 2; i <= n; ++i) text += fmt::format(", 0.{:04}", i);
  return text + "]";
}

TEST(HugeGrids, AreCountedWithoutBeingExpanded) {
  const std::string lists = Floats(400);
  const std::string adamw =
      "{ adamw: { lr: " + lists + ", beta1: " + lists + ", beta2: " + lists + ", eps: " + lists + " } }";
  EXPECT_THAT(
      Parse(SweepText("optimizer: " + adamw)),
      StatusIs(
          absl::StatusCode::kResourceExhausted,
          Eq("s.yaml:4:14: optimizer has 25,600,000,000 values, more than the 20,000 an axis may have")));
}

TEST(HugeGrids, BeyondSixtyFourBitsAreStillNamed) {
  const std::string lists = Floats(1'000);
  const std::string ints = Ints(1'000);
  const std::string text = SweepText(
      "optimizer: { adamw: { lr: " + lists + ", beta1: " + lists + ", beta2: " + lists + ", eps: " + lists +
      ", weight_decay: " + lists + " } }\nscheduler: { plateau: { factor: " + lists + ", patience: " + ints +
      ", threshold: " + lists + ", min_lr: " + lists + " } }\nregularization: { l1: " + lists +
      ", l2: " + lists + ", dropout: " + lists + " }\nmodel: { cnn: { hidden: " + ints + " } }");
  const SweepLimits wide{.max_axis_values = std::numeric_limits<int64_t>::max()};
  EXPECT_THAT(
      Parse(text, wide),
      StatusIs(absl::StatusCode::kResourceExhausted,
               Eq("s.yaml:4:3: the grid has about 1.0e+39 jobs, more than the 1,000,000 allowed before "
                  "exclusions")));
}

TEST(HugeGrids, SeedsCount) {
  EXPECT_THAT(
      Parse(SweepText("optimizer: { sgd: { lr: " + Floats(200) + " } }", "seeds: 10000")),
      StatusIs(
          absl::StatusCode::kResourceExhausted,
          HasSubstr("200 combinations × 10000 seeds = 2,000,000 jobs, more than the 1,000,000 allowed")));
  EXPECT_THAT(Parse(SweepText("optimizer: { sgd: { lr: " + Floats(200) + " } }", "seeds: 1000")),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("200 cells × 1000 seeds = 200,000 jobs, more than the limit of 100,000")));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsOurs = false;  // most of it is the sanitizer's
#else
constexpr bool kMemoryIsOurs = true;
#endif
constexpr int64_t kMemoryBudgetKib = 48 * 1024;  // of the 64 MiB a program may need, with its libraries

// A field of /proc/self/status, in KiB.
int64_t StatusKib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field + ":")) return std::stoll(line.substr(field.size() + 1));
  }
  ADD_FAILURE() << "no " << field << " in /proc/self/status";
  return 0;
}

// How much higher the resident memory of this process rises than it is now, while `run` runs.
template <typename Run>
int64_t PeakGrowthKib(Run run) {
  std::ofstream("/proc/self/clear_refs") << "5";  // forgets the earlier peak
  const int64_t before = StatusKib("VmRSS");
  run();
  return StatusKib("VmHWM") - before;
}

// Texts that exhaust parsers. Each is refused with one short message, without much memory.
TEST(HostileText, IsRefusedInBoundedMemory) {
  const size_t full = 255 * 1024;
  std::string laughs = "a: &a [x]\n";
  for (char c = 'b'; c < 'm'; ++c)
    laughs += std::string(1, c) + ": &" + c + " [*" + char(c - 1) + ",*" + char(c - 1) + "]\n";
  std::string million = "model: [0";
  for (int i = 0; i < 1'000'000; ++i) million += ",1";
  const std::pair<std::string, std::string> cases[] = {
      {Repeated("x", 50'000'000), "the file has 50000000 bytes, more than the 262144"},
      {Repeated(million + "]\n", 10 * million.size()), "bytes, more than the 262144"},
      {laughs, "an anchor"},
      {Repeated("[", full), "more than 1000 open brackets"},
      {Repeated("{", full), "more than 1000 open brackets"},
      {Repeated("{a: ", full), "more than 1000 open brackets"},
      {Repeated("{a,", full), "more than 1000 open brackets"},
      {Repeated("[", 900) + Repeated("]", 900), "nested deeper than 64 levels"},
      {Repeated("- ", full), "nested deeper than 64 levels"},
      {"[" + Repeated("1,", full), "more than 60000 values"},
      {Repeated("- 1\n", full), "more than 20000 values"},
      {Repeated("-\n", full), "more than 20000 values"},
      {"name: " + Repeated("x", full), "name: expected 1 to 64 letters"},
      {"name: \"" + Repeated("x\n ", full) + "\"", "name: expected 1 to 64 letters"},
      {"dataset: d\nname: |\n" + Repeated("  x\n", full), "name: expected 1 to 64 letters"},
      {"dataset: d\nname: 'a" + Repeated("\n", full) + "b'", "name: expected 1 to 64 letters"},
      {Repeated("#\n", full), "the file is empty"},
      {SweepText("model: " + Repeated("m", full)), "unknown model 'mmm"},
      {SweepText("model: mlp", "seeds: " + Repeated("9", full - 100)),
       "expected int in [1, 100000], got '999"},
  };
  for (const auto& [text, message] : cases) {
    absl::StatusOr<SweepSpec> spec = absl::UnknownError("not parsed");
    const int64_t growth = PeakGrowthKib([&, &sweep = text] { spec = Parse(sweep); });
    EXPECT_TRUE(!kMemoryIsOurs || growth < kMemoryBudgetKib) << growth << " KiB for " << text.substr(0, 40);
    ASSERT_FALSE(spec.ok()) << text.substr(0, 40);
    EXPECT_THAT(Message(spec.status()), HasSubstr(message)) << text.substr(0, 40);
    EXPECT_THAT(Message(spec.status()), StartsWith("s.yaml:")) << text.substr(0, 40);
    EXPECT_LT(Message(spec.status()).size(), 400u) << text.substr(0, 40);
  }
}

TEST(ReadSweepText, ReadsNoMoreThanASweepFileMayHave) {
  EXPECT_THAT(ReadSweepText("/dev/zero"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                   HasSubstr("/dev/zero:1:1: the file is larger than")));
  EXPECT_THAT(ReadSweepText("/"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is a folder")));
  EXPECT_THAT(ReadSweepText("/no/such/file"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("cannot open")));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadSweepText(GRIDSWEEP_SOURCE_DIR "/sweeps/quickstart.yaml"));
  EXPECT_THAT(Parse(text), IsOk());
}

TEST(Exclusions, AreLimitedInNumber) {
  std::string rules = "exclude:\n";
  for (int i = 0; i < 1'001; ++i) rules += "- { model: mlp }\n";
  EXPECT_THAT(
      Parse(SweepText("model: [mlp, cnn]", rules)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1001 rules, at most 1000 are supported")));
}

TEST(BatchSize, OfOneIsRefusedWithBatchNormalization) {
  const auto refused = [](const std::string& model) {
    return StatusIs(absl::StatusCode::kInvalidArgument,
                    "s.yaml:3:27: training, 'batch_size': batches of 1 leave model '" + model +
                        "' nothing to normalize over: raise batch_size to 2 or more, or write {" + model +
                        ": {batch_norm: false}}");
  };
  const auto parse = [](const std::string& size, const std::string& grid) {
    return Parse("name: x\ndataset: d\ntraining: { batch_size:   " + size + " }\ngrid: { " + grid + " }\n");
  };
  EXPECT_THAT(parse("1", "activation: relu"), refused("mlp")) << "the default model, with its default";
  EXPECT_THAT(parse("1", "model: [{ mlp: { batch_norm: false } }, cnn]"), refused("cnn"));
  EXPECT_THAT(parse("1", "model: [{ mlp: { batch_norm: false } }, { cnn: { batch_norm: false } }]"), IsOk());
  EXPECT_THAT(parse("2", "model: [mlp, cnn]"), IsOk());
}

}  // namespace
}  // namespace gridsweep
