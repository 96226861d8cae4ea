// Conditions and arithmetic over named values: "rows * columns <= 1024 and arithmetic == \"cnn\"".
//
// Operators, by muParserX: + - * / ^, < <= > >= == !=, and or (&& ||), A ? B : C, parentheses; functions: min, max, abs,
// sqrt, floor, ceil, round, mod, log2. A value that is none makes a condition false.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "sw/study/scalar.hpp"

namespace abacus::study {

class Expression {
 public:
  // `names`: those of values. `start`: of an error: the place. Throws InputError naming the column where the text does
  // not parse, and the nearest name where one is not known.
  Expression(const std::string& text, const std::string& start, const std::set<std::string>& names);
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  using Values = std::function<Scalar(const std::string& name)>;

  const std::string& text() const;
  const std::set<std::string>& names() const;  // that it has
  // None where a value that it needs is none. Throws InputError where types do not go together.
  Scalar value(const Values& values) const;
  // The same of a condition: none is false. Throws InputError where it is no condition.
  bool holds(const Values& values) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace abacus::study
