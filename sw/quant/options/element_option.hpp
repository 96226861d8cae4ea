// A described element (docs/table.md) as an option: given by its file, recorded by what it computes, so that a
// package is another one when the table has changed.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sw/network/element_file.hpp"
#include "sw/quant/options/option.hpp"

namespace abacus::quant {

using ChosenElement = std::shared_ptr<const network::DescribedElement>;

template <template <template <typename> class> class Fields>
class ElementOption final : public TypedOption<Fields, ChosenElement> {
  using Base = TypedOption<Fields, ChosenElement>;

 public:
  constexpr ElementOption(OptionWords words, typename Base::Field field) : Base(words, field) {}
  std::string allowed() const override { return "FILE.toml"; }
  bool allows(const ChosenElement& value) const override { return value != nullptr; }
  std::string text_of(const ChosenElement& value) const override { return value->sha256; }

 private:
  // Throws InputError where the file is not such a description.
  std::optional<ChosenElement> value_of(const std::string& text) const override {
    return std::make_shared<const network::DescribedElement>(network::read_element(text));
  }
};

}  // namespace abacus::quant
