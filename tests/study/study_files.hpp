// A small study that simulates quickly.
#pragma once

#include <string>

namespace abacus::test {

// Without axes.
inline std::string study_head() {
  return "name = \"small\"\nminimise = [\"energy_uj\", \"area_um2\"]\n"
         "[base]\nnetwork = \"lenet\"\narithmetic = \"adder\"\nweights = \"synthetic\"\n"
         "image = [1, 28, 28]\nclasses = 10\ntimed_images = 1\n";
}

inline std::string axis(const std::string& name, const std::string& key,
                        const std::string& values) {
  return "[[axis]]\nname = \"" + name + "\"\nkey = \"" + key + "\"\nvalues = " + values + "\n";
}

}  // namespace abacus::test
