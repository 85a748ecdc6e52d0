#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "worker/trainer/components/registry.h"

namespace gridsweep {
namespace {

TEST(TrainerCatalog, EqualsTheOneOfTheOtherPrograms) {
  std::ifstream in(GRIDSWEEP_SOURCE_DIR "/common/catalog/catalog.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), MakeRegistry().MakeCatalog().ToJson())
      << "common/catalog/catalog.json is not what this trainer prints; run: ./dev catalog";
}

TEST(TrainerCatalog, EveryDefaultIsLegalAndEveryNameOccursOnce) {
  const Catalog catalog = MakeRegistry().MakeCatalog();
  for (const ComponentSpec& spec : catalog.components()) {
    int times = 0;
    for (const ComponentSpec* other : catalog.OnAxis(spec.axis)) times += other->name == spec.name ? 1 : 0;
    EXPECT_EQ(times, 1) << spec.name;
    for (const ParamSpec& param : spec.params) {
      EXPECT_TRUE(param.Validate(param.default_value).ok()) << spec.name << "." << param.name;
    }
  }
}

}  // namespace
}  // namespace gridsweep
