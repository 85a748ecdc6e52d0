#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/catalog/catalog.h"
#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;

const ParamSpec kLr{
    .name = "lr", .type = ParamType::kFloat, .default_value = 0.1, .min = 0, .max = 1, .min_open = true};
const ParamSpec kWidth{
    .name = "width", .type = ParamType::kInt, .default_value = int64_t{4}, .min = 1, .max = 8};
const ParamSpec kHidden{.name = "hidden",
                        .type = ParamType::kIntList,
                        .default_value = std::vector<int64_t>{4},
                        .min = 1,
                        .max = 8,
                        .min_length = 1,
                        .max_length = 2};

using List = std::vector<int64_t>;

TEST(ParamSpec, SaysWhatItExpects) {
  EXPECT_EQ(kLr.Expectation(), "float in (0, 1]");
  EXPECT_EQ(kWidth.Expectation(), "int in [1, 8]");
  EXPECT_EQ(kHidden.Expectation(), "int list of 1 to 2 elements in [1, 8]");
}

TEST(ParamSpec, OpenEndsAreOutAndClosedEndsAreIn) {
  EXPECT_FALSE(kLr.Validate(0.0).ok());
  EXPECT_TRUE(kLr.Validate(1.0).ok());
  EXPECT_TRUE(kLr.Validate(5e-324).ok());
  EXPECT_TRUE(kWidth.Validate(int64_t{1}).ok());
  EXPECT_TRUE(kWidth.Validate(int64_t{8}).ok());
  EXPECT_FALSE(kWidth.Validate(int64_t{9}).ok());
}

TEST(ParamSpec, RefusesNonFiniteAndHugeNumbers) {
  EXPECT_FALSE(kLr.Validate(std::numeric_limits<double>::quiet_NaN()).ok());
  EXPECT_FALSE(kLr.Validate(std::numeric_limits<double>::infinity()).ok());
  EXPECT_FALSE(kWidth.Validate(std::numeric_limits<int64_t>::max()).ok());
  EXPECT_FALSE(kWidth.Validate(std::numeric_limits<int64_t>::min()).ok());
}

TEST(ParamSpec, TypesAreStrictButAnIntIsAFloat) {
  EXPECT_EQ(std::get<double>(kLr.Validate(int64_t{1}).value()), 1.0);
  EXPECT_THAT(kWidth.Validate(3.0), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected int")));
  EXPECT_FALSE(kLr.Validate(true).ok());
  EXPECT_FALSE(kHidden.Validate(int64_t{4}).ok());
}

TEST(ParamSpec, ChecksLengthAndElementsOfAList) {
  EXPECT_TRUE(kHidden.Validate(List{1, 8}).ok());
  EXPECT_FALSE(kHidden.Validate(List{}).ok());
  EXPECT_FALSE(kHidden.Validate(List{1, 2, 3}).ok());
  EXPECT_THAT(kHidden.Validate(List{1, 9}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("elements in [1, 8], got [1, 9]")));
}

TEST(ParamSpec, NegativeZeroIsZero) {
  const ParamSpec decay{.type = ParamType::kFloat, .min = 0, .max = 1};
  EXPECT_FALSE(std::signbit(std::get<double>(decay.Validate(-0.0).value())));
}

TEST(ParamValue, TextIsTheShortestThatReadsBack) {
  EXPECT_EQ(ParamValueText(true), "true");
  EXPECT_EQ(ParamValueText(int64_t{-3}), "-3");
  EXPECT_EQ(ParamValueText(0.05), "0.05");
  EXPECT_EQ(ParamValueText(1e-5), "1e-5");
  EXPECT_EQ(ParamValueText(1e-12), "1e-12");
  EXPECT_EQ(ParamValueText(1.0), "1");
  EXPECT_EQ(ParamValueText(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(ParamValueText(List{32, 64}), "[32, 64]");
}

TEST(ParamValue, JsonKeepsTypes) {
  for (const ParamValue& value :
       {ParamValue(true), ParamValue(int64_t{3}), ParamValue(1.0), ParamValue(List{3, 4})}) {
    EXPECT_EQ(ParamValueFromJson(Json::parse(ParamValueToJson(value).dump())).value(), value);
  }
  EXPECT_FALSE(ParamValueFromJson("text").ok());
  EXPECT_FALSE(ParamValueFromJson(Json::parse("[1, 2.5]")).ok());
  EXPECT_FALSE(ParamValueFromJson(Json::parse("18446744073709551615")).ok());
}

}  // namespace
}  // namespace gridsweep
