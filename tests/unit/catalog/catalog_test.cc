#include "common/catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> NamesOn(Axis axis) {
  std::vector<std::string> names;
  for (const ComponentSpec* component : Catalog::Builtin().OnAxis(axis)) names.push_back(component->name);
  return names;
}

TEST(Catalog, HasTheComponentsOfTheDesign) {
  EXPECT_THAT(NamesOn(Axis::kModel), ElementsAre("mlp", "cnn"));
  EXPECT_THAT(NamesOn(Axis::kActivation), ElementsAre("relu", "leaky_relu", "elu", "tanh", "gelu", "silu"));
  EXPECT_THAT(NamesOn(Axis::kOptimizer), ElementsAre("adam", "adamw", "sgd", "rmsprop", "adagrad"));
  EXPECT_THAT(NamesOn(Axis::kRegularization), ElementsAre("none", "l1", "l2", "dropout"));
  EXPECT_THAT(NamesOn(Axis::kScheduler), ElementsAre("none", "step", "plateau", "exponential", "cosine"));
}

TEST(Catalog, EveryEntryIsDocumentedAndItsDefaultsAreLegal) {
  for (const ComponentSpec& component : Catalog::Builtin().components()) {
    EXPECT_FALSE(component.doc.empty()) << component.name;
    for (const ParamSpec& param : component.params) {
      EXPECT_FALSE(param.doc.empty()) << component.name << "." << param.name;
      EXPECT_THAT(param.Validate(param.default_value), IsOk()) << component.name << "." << param.name;
    }
  }
}

TEST(Catalog, KnowsWhichActivationsAreMonotone) {
  for (const ComponentSpec* activation : Catalog::Builtin().OnAxis(Axis::kActivation)) {
    const bool expected = activation->name != "gelu" && activation->name != "silu";
    ASSERT_EQ(activation->properties.count("monotone"), 1u) << activation->name;
    EXPECT_EQ(activation->properties.at("monotone"), expected) << activation->name;
  }
}

TEST(Catalog, ReadsBackWhatItPrints) {
  const std::string printed = Catalog::Builtin().ToJson();
  ASSERT_OK_AND_ASSIGN(const Catalog read, Catalog::FromJson(printed));
  EXPECT_EQ(read.ToJson(), printed);
  EXPECT_TRUE(printed.ends_with("}\n"));
}

struct BadCatalog {
  const char* json;
  const char* message;
};
class BadCatalogs : public testing::TestWithParam<BadCatalog> {};

TEST_P(BadCatalogs, AreRefusedNamingEntryAndField) {
  EXPECT_THAT(Catalog::FromJson(GetParam().json),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadCatalogs,
    testing::Values(
        BadCatalog{"[", "not valid JSON"}, BadCatalog{"{}", "\"components\" is missing"},
        BadCatalog{R"({"components":[{"axis":"x"}]})", "component 1: field \"axis\": unknown axis 'x'"},
        BadCatalog{R"({"components":[{"axis":"model","nmae":1}]})", "component 1: unknown field \"nmae\""},
        BadCatalog{R"({"components":[{"axis":"model","name":"m","doc":"d","params":[{"name":"p","doc":"d",
                      "type":"int","min":1,"max":4,"default":5}],"properties":{}}]})",
                   "component 1: 'm': parameter 1: field \"default\": expected int in [1, 4], got 5"},
        BadCatalog{R"({"components":[{"axis":"model","name":"m","doc":"d","params":[{"name":"p","doc":"d",
                      "type":"text","min":1,"max":4,"default":5}],"properties":{}}]})",
                   "unknown type 'text'"},
        BadCatalog{R"({"components":[{"axis":"model","name":"m","doc":"d","params":[],"properties":{}},
                      {"axis":"model","name":"m","doc":"d","params":[],"properties":{}}]})",
                   "component 2: model 'm' appears twice"}));

TEST(Catalog, FindSuggestsTheNearestNameAndListsAll) {
  EXPECT_THAT(Catalog::Builtin().Find(Axis::kOptimizer, "adm"),
              StatusIs(absl::StatusCode::kNotFound,
                       testing::Eq("unknown optimizer 'adm' (did you mean 'adam'?), expected one of "
                                   "adam, adamw, sgd, rmsprop, adagrad")));
}

TEST(Catalog, FindSaysWhichAxisANameBelongsTo) {
  EXPECT_THAT(Catalog::Builtin().Find(Axis::kRegularization, "adam"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("('adam' belongs to optimizer)")));
}

TEST(Catalog, ResolveFillsInDefaultsAndConvertsInts) {
  ASSERT_OK_AND_ASSIGN(const Component sgd,
                       Catalog::Builtin().Resolve(Axis::kOptimizer, "sgd", {{"lr", int64_t{1}}}));
  EXPECT_EQ(sgd.name, "sgd");
  EXPECT_EQ(std::get<double>(sgd.params.at("lr")), 1.0);
  EXPECT_EQ(std::get<double>(sgd.params.at("momentum")), 0.9);
  EXPECT_EQ(std::get<bool>(sgd.params.at("nesterov")), false);
}

TEST(Catalog, ResolveRefusesUnknownAndOutOfRangeParameters) {
  const Catalog& catalog = Catalog::Builtin();
  EXPECT_THAT(
      catalog.Resolve(Axis::kOptimizer, "sgd", {{"learning_rate", 0.1}}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("no parameter 'learning_rate' (did you mean 'lr'?), expected one of lr, momentum")));
  EXPECT_THAT(catalog.Resolve(Axis::kOptimizer, "sgd", {{"lr", 11.0}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected float in (0, 10], got 11")));
  EXPECT_THAT(catalog.Resolve(Axis::kActivation, "relu", {{"slope", 0.1}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no parameters")));
  EXPECT_THAT(catalog.Resolve(Axis::kModel, "vit", {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("'vit'")));
}

std::string LabelOf(Axis axis, const std::string& name, const std::map<std::string, ParamValue>& given) {
  return Catalog::Builtin().Label(axis, Catalog::Builtin().Resolve(axis, name, given).value());
}

TEST(Catalog, LabelsShowWhatDiffersFromTheDefaults) {
  EXPECT_EQ(LabelOf(Axis::kOptimizer, "sgd", {}), "sgd");
  EXPECT_EQ(LabelOf(Axis::kOptimizer, "sgd", {{"lr", 0.05}}), "sgd");
  EXPECT_EQ(LabelOf(Axis::kOptimizer, "sgd", {{"nesterov", true}, {"lr", 0.01}}),
            "sgd(lr=0.01, nesterov=true)");
  EXPECT_EQ(LabelOf(Axis::kModel, "mlp", {{"hidden", std::vector<int64_t>{64}}}), "mlp(hidden=[64])");
}

TEST(Catalog, LabelsAlwaysShowAPrimaryParameter) {
  EXPECT_EQ(LabelOf(Axis::kRegularization, "l2", {}), "l2(0.0001)");
  EXPECT_EQ(LabelOf(Axis::kRegularization, "l1", {{"lambda", 1e-6}}), "l1(1e-6)");
  EXPECT_EQ(LabelOf(Axis::kRegularization, "none", {}), "none");
}

TEST(Axis, NamesRoundTripAndUnknownOnesAreSuggested) {
  for (const Axis axis : kAllAxes) EXPECT_EQ(ParseAxis(AxisName(axis)).value(), axis);
  EXPECT_THAT(ParseAxis("optimiser"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("did you mean 'optimizer'?")));
}

}  // namespace
}  // namespace gridsweep
