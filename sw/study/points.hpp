// The points of a study: numbered as the grid of its axes has them, the last axis running fastest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sw/study/study.hpp"

namespace abacus::study {

class Points {
 public:
  // The study must outlive it. Throws InputError where the grid has more than 2^60 points.
  explicit Points(const Study& study);

  std::int64_t grid_size() const { return grid_size_; }
  // Index of each axis' value.
  std::vector<std::size_t> position(std::int64_t number) const;
  std::int64_t number(const std::vector<std::size_t>& position) const;
  // Of an axis by its name or one of its keys, or of a derived key; none of anything else.
  Scalar value(std::int64_t number, const std::string& name) const;
  // Whether `where` and `skip` let it be.
  bool is_wanted(std::int64_t number) const;
  // All keys that the point sets, as a table.
  reading::Node settings(std::int64_t number) const;
  // "rows=8, columns=16"
  std::string text(std::int64_t number) const;

  // What the method chooses, ascending.
  //   grid             all wanted points
  //   random           `points` of them, each as likely (all, where there are no more)
  //   latin-hypercube  of each axis' values about equally many; points that conditions drop or that come twice are
  //                    missing
  //   nsga2            as random does: what it will simulate, each generation decides (search.hpp)
  // Throws InputError where there is none, or the grid is too large to be gone through.
  std::vector<std::int64_t> chosen() const;

 private:
  const Study& study_;
  std::int64_t grid_size_ = 1;
};

// The point's scenario. Of several runs, what is wrong with others than the point's own is no matter, unless it names one of
// them (same_area_as). Throws InputError.
experiment::Scenario read_point(const Study& study, const Points& points, std::int64_t number,
                                experiment::ReadFiles& files);

}  // namespace abacus::study
