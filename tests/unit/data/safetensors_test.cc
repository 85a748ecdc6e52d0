#include "common/data/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::HasSubstr;

std::string File(const std::string& header, const std::string& data) {
  std::string file(8, '\0');
  for (size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return file + header + data;
}

TEST(SafeTensors, ReadBackWhatWasWritten) {
  SafeTensors content;
  content.metadata = {{"format", "test"}, {"epoch", "3"}};
  content.tensors["weights"] = {"F32", {2, 3}, std::string_view("abcdefghijklmnopqrstuvwx")};
  content.tensors["empty"] = {"U8", {0}, {}};
  content.tensors["step"] = {"I64", {}, std::string_view("12345678")};
  const std::string file = WriteSafeTensors(content);
  ASSERT_OK_AND_ASSIGN(const SafeTensors read, ParseSafeTensors(file));
  EXPECT_EQ(read.metadata, content.metadata);
  ASSERT_EQ(read.tensors.size(), 3U);
  EXPECT_EQ(read.tensors.at("weights").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(read.tensors.at("weights").bytes, content.tensors.at("weights").bytes);
  EXPECT_EQ(read.tensors.at("step").bytes, "12345678");
}

TEST(SafeTensors, NoPartOfAFileIsTakenForAWholeOne) {
  SafeTensors content;
  content.tensors["x"] = {"F32", {4}, std::string_view("abcdefghijklmnop")};
  const std::string file = WriteSafeTensors(content);
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_THAT(ParseSafeTensors(std::string_view(file).substr(0, size)), StatusIs(StatusCode::kInvalidArgument, testing::_)) << size;
  EXPECT_THAT(ParseSafeTensors(file + "x"), StatusIs(StatusCode::kInvalidArgument, testing::_));
}

TEST(SafeTensors, AHostileHeaderIsRefused) {
  struct Case {
    const char* header;
    const char* data;
    const char* why;
  };
  constexpr Case kCases[] = {
      {"[]", "", "no object"},
      {"{", "", ""},
      {R"({"x": 1})", "", "expected dtype"},
      {R"({"x": {"dtype": "F31", "shape": [], "data_offsets": [0, 4]}})", "abcd", "unknown dtype"},
      {R"({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}})", "abcd", "size"},
      {R"({"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}})", "abcd", "dimension"},
      {R"({"x": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}})", "", "size"},
      {R"({"x": {"dtype": "U8", "shape": [4], "data_offsets": [4, 0]}})", "abcd", "ends before"},
      {R"({"x": {"dtype": "U8", "shape": [4], "data_offsets": [0, 1e3]}})", "abcd", "offset"},
      {R"({"x": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}, "y": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}})",
       "abcd", "overlap"},
      {R"({"x": {"dtype": "U8", "shape": [2], "data_offsets": [2, 4]}})", "abcd", "gap"},
      {R"({"__metadata__": {"a": 1}})", "", "no text"},
  };
  for (const Case& test : kCases)
    EXPECT_THAT(ParseSafeTensors(File(test.header, test.data)), StatusIs(StatusCode::kInvalidArgument, HasSubstr(test.why)))
        << test.header;
  std::string huge = File("{}", "");
  huge[7] = '\x7f';
  EXPECT_THAT(ParseSafeTensors(huge), StatusIs(StatusCode::kInvalidArgument, HasSubstr("header")));
}

}  // namespace
}  // namespace gridsweep
