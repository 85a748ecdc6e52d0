#include "common/base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gridsweep {
namespace {

TEST(Json, DoublesReadBackToTheSameBits) {
  for (const double value :
       {0.1, 1.0 / 3, 1e-300, 5e-324, std::numeric_limits<double>::max(), -0.0, 123456.0}) {
    const auto parsed = ParseJson(NumberToJson(value).dump());
    ASSERT_TRUE(parsed.ok());
    const auto read = NumberFromJson(*parsed);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, value);
    EXPECT_EQ(std::signbit(*read), std::signbit(value));
  }
}

TEST(Json, NumbersThatAreNotFiniteAreStrings) {
  EXPECT_EQ(NumberToJson(std::nan("")).dump(), "\"nan\"");
  EXPECT_EQ(NumberToJson(INFINITY).dump(), "\"inf\"");
  EXPECT_EQ(NumberToJson(-INFINITY).dump(), "\"-inf\"");
  EXPECT_TRUE(std::isnan(NumberFromJson("nan").value()));
  EXPECT_EQ(NumberFromJson("inf"), INFINITY);
  EXPECT_EQ(NumberFromJson("-inf"), -INFINITY);
}

TEST(Json, OtherValuesAreNoNumbers) {
  EXPECT_FALSE(NumberFromJson("1.5"));
  EXPECT_FALSE(NumberFromJson(nullptr));
  EXPECT_FALSE(NumberFromJson(true));
  EXPECT_FALSE(NumberFromJson(Json::array({1})));
}

TEST(Json, BadTextIsAnErrorWithItsPlace) {
  for (const char* text : {"", "{", "{\"a\":1}}", "nan", "[1,]", "\xff"}) {
    const auto parsed = ParseJson(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_TRUE(absl::IsInvalidArgument(parsed.status()));
    EXPECT_NE(Message(parsed.status()).find("at byte"), std::string::npos) << Message(parsed.status());
  }
}

TEST(Json, GetFieldNamesWhatIsMissingOrWrong) {
  const Json object = {{"count", 3}, {"name", "x"}};
  EXPECT_EQ(*GetField<int64_t>(object, "count"), 3);
  EXPECT_EQ(Message(GetField<int64_t>(object, "size").status()), "missing field \"size\"");
  EXPECT_EQ(Message(GetField<int64_t>(object, "name").status()), "field \"name\" has the wrong type: \"x\"");
  EXPECT_FALSE(GetField<int64_t>(Json::array(), "count").ok());
}

TEST(Json, KeysAreSortedSoThatEqualObjectsAreEqualTexts) {
  EXPECT_EQ((Json{{"b", 1}, {"a", 2}}).dump(), R"({"a":2,"b":1})");
}

}  // namespace
}  // namespace gridsweep
