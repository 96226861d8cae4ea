#include "sw/compare/metric.hpp"

#include <gtest/gtest.h>

#include <set>

namespace abacus::compare {
namespace {

TEST(Metrics, HaveNamesUnitsAndKindsOfTheirOwn) {
  std::set<std::string> names;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_EQ(find_metric(metric.name), &metric);
    EXPECT_EQ(metric.path.rfind("runs[].", 0), 0U) << metric.path;
  }
  const auto kind = [](const char* name) { return find_metric(name)->kind; };
  EXPECT_EQ(kind("cycles_per_image"), MetricKind::count);
  EXPECT_EQ(kind("layers.cycles"), MetricKind::count);
  EXPECT_EQ(kind("activity_per_image"), MetricKind::count);
  EXPECT_EQ(kind("time_per_image_us"), MetricKind::time);
  EXPECT_EQ(kind("energy_by_component_uj"), MetricKind::energy);
  EXPECT_EQ(kind("accuracy_percent"), MetricKind::accuracy);
  EXPECT_EQ(kind("area.array_um2"), MetricKind::area);
  EXPECT_EQ(kind("layers.pe_utilisation"), MetricKind::ratio);
  EXPECT_EQ(kind("bit_exact"), MetricKind::verdict);
  EXPECT_EQ(find_metric("layers.cycles")->path, "runs[].layers[].cycles");
  EXPECT_EQ(find_metric("layers.cycles")->unit, "cycles");
  for (const char* input : {"hardware", "network", "images", "weight_bits", "layers"}) {
    EXPECT_EQ(find_metric(input), nullptr) << input;
  }
}

}  // namespace
}  // namespace abacus::compare
